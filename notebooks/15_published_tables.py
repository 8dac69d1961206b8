# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 15 What a printed table tells
#
# ## Overview
#
# A table in a paper holds more than its authors say. Its numbers are rounded and belong together, so some cannot be what they are, and others that
# nobody printed follow from them. This chapter takes Tables 4 and 5 of {cite:t}`yao2026` and five tables of others apart. It needs no run, no data and
# no map: only the printed digits.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | that a printed number is a {term}`rounding interval`, and how to tell a misprint from rounding | one line of Table 5; exercises: a forged share, a ratio that may be |
# | what a table of classes says about the AUC | the corners of the ROC curve, and the AUC in the text beside them |
# | how to get the recall that nobody printed | precision and F1 of Table 4, turned round |
# | how often tables of others fail | five of them, every number checked |
#
# **Before you start** you need the frequency ratio of chapter 6, and AUC, precision, recall and F1 from chapters 2 and 5 or the glossary.
#
# **Time to learn** about 25 minutes to read, a quarter of an hour for the exercises. It runs in seconds.

# %% tags=["parameters"]
run_dir: str = ""  # folder that gets the tables and figures; empty: the working directory
table: str = ""  # a CSV file of your own; empty: the published ones

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from lsa_helpers import paper
from lsa_helpers.audit import auc_bounds, audit, intervals, understand
from lsa_helpers.paper import printed_table, published_table
from lsa_helpers.run import Run
from lsa_helpers.runner.params import PublishedParams
from lsa_helpers.show import published as show
from lsa_helpers.show import style

style.use()
p = PublishedParams.from_cell(globals())
here = Run(Path(p.run_dir))

# %% [markdown]
# ## A printed number is an interval
#
# Where 25.05 km² is printed, the area was anything from 25.045 to 25.055 km². Half a unit of the last digit to both sides: that is why the digits are
# read as text, in which 4.0 and 4.00 differ. Take the class High of the random forest in Table 5. Its area is printed, and so are those of the four
# other classes:

# %%
printed = printed_table(5)
forest = printed[printed["method"] == "RF"].set_index("susceptibility")
area = intervals(forest["area_km2"])
worded = area.assign(printed=forest["area_km2"])[["printed", "low", "high"]].rename_axis("class")
worded.set_axis(["Printed (km²)", "At least (km²)", "At most (km²)"], axis=1)

# %% [markdown]
# The share of the class is largest when its own area is as large and the others are as small as rounding lets them be, and the other way round:
#
# $$
# \frac{A_i^-}{A_i^- + \sum_{j \ne i} A_j^+} \;\le\; \text{share}_i \;\le\; \frac{A_i^+}{A_i^+ + \sum_{j \ne i} A_j^-}
# $$ (eq-15-share)

# %%
high, others = area.loc["High"], area.drop("High").sum()
lowest = 100 * high["low"] / (high["low"] + others["high"])
highest = 100 * high["high"] / (high["high"] + others["low"])
share = intervals(forest["area_ratio_pct"]).loc["High"]
print(f"The areas allow {lowest:.4f} to {highest:.4f} %.")
print(f"Printed is {share['value']} %, which stands for {share['low']:.3f} to {share['high']:.3f} %.")

# %% [markdown]
# The two intervals do not meet. No true areas give this line, whatever was rounded away: 8.00 % would have been right. It is a slip without
# consequence, and the point is another: *all other* numbers of the table pass the same test, and nothing speaks against them.
#
# ## All of Table 5
#
# `lsa_helpers.audit` does this for every number, and more: sums, totals, the order of the ratios, and what follows below. First what cannot be and what
# deserves a question, then what was not printed but follows.

# %%
findings = audit(printed)
here.write_table(findings, "audit_table_5")
show.told(findings, "impossible", "noted")

# %%
show.told(findings, "implied")

# %% [markdown]
# The random forest calls more than half of the land the safest of five classes, and more than a quarter of the landslide area lies there. What else is
# in the sums? With the paper's own cell of 12.5 m and its 923 landslides:

# %%
by_model = published_table(5).groupby("model", sort=False)
totals = by_model[["area_km2", "landslide_area_km2"]].sum()
land, slides = totals.loc["rf"] * 1e6
each = slides / 923
print(f"{land / 12.5**2 / 1e6:.2f} million cells; {each:.0f} m² or {each / 12.5**2:.0f} cells a landslide.")
totals.rename(style.MODEL_LABELS).rename_axis(None).set_axis(["Land (km²)", "Landslides (km²)"], axis=1).round(2)

# %% [markdown]
# ## From classes to the AUC
#
# Five classes have four thresholds between them, so a table of classes holds corners of the {term}`ROC curve`. Between two corners the curve may run anywhere in the
# box: along its upper edge when all landslides of the class have higher values than its other cells, along the lower edge when all have lower ones. The
# areas below the edges bound the AUC. Straight lines between the corners are the case in which the order inside a class is chance; that is the AUC
# of the class numbers themselves, and scikit-learn computes it too:

# %%
amounts, rows = {}, []
for model, part in published_table(5).groupby("model", sort=False):
    landslide = part["landslide_area_km2"].to_numpy()
    other = part["area_km2"].to_numpy() - landslide
    amounts[model] = landslide, other
    label, number = np.repeat([1, 0], len(part)), np.tile(range(len(part)), 2)
    middle = roc_auc_score(label, number, sample_weight=np.append(landslide, other))
    rows.append([model, *auc_bounds(landslide, other), middle])
names = ["model", "lowest", "middle", "highest", "scikit-learn"]
bounds = pd.DataFrame(rows, columns=names).set_index("model")
bounds.rename(style.MODEL_LABELS).rename_axis(None).rename(columns=str.capitalize).round(3)

# %%
width = bounds["highest"] - bounds["lowest"]
for model, way in {width.idxmin(): "little", width.idxmax(): "much"}.items():
    slides_in, others_in = (part / part.sum() for part in amounts[model])
    boxes = slides_in * others_in
    print(f"{style.MODEL_LABELS[model]}: its classes leave {way} open, {width[model]:.3f} of AUC. The largest box is {boxes.max():.3f}, of a class with {slides_in[boxes.argmax()]:.0%} of the landslides and {others_in[boxes.argmax()]:.0%} of the other land.")

# %% mystnb={"figure": {"caption": "What Table 5 leaves open of the ROC curve on the map. Dots are the corners that the classes give; the curve lies in the shaded boxes.", "name": "fig-15-bounds"}, "image": {"alt": "Three panels, one per model, with the corners of the ROC curve from five classes and shaded boxes between them, small for the CNN and large for random forest and XGBoost"}}
style.save(show.roc_bounds(amounts), here, "roc_bounds")

# %%
lead = 100 * (bounds.loc["cnn", "lowest"] - bounds["highest"]).drop("cnn")
leads = pd.DataFrame({"Lead of the CNN on the map, at least (points)": lead, "In the abstract (%)": [4.3, 3.2]})
leads.rename(style.MODEL_LABELS).rename_axis(None).round(1)

# %% [markdown]
# Even the lowest curve of the CNN is far above the highest of the others. The abstract says that the CNN's AUC is 4.3 and 3.2 % higher. Both can be true
# only if the AUC of the abstract belongs to another population than the map, most likely to balanced test samples. An AUC without its population says little.
#
# ## Table 4: the recall that is not there
#
# Table 4 prints precision and F1, but no recall. F1 is the harmonic mean of both, so the recall follows:
#
# $$
# F_1 = \frac{2PR}{P + R} \quad\Longrightarrow\quad R = \frac{P \, F_1}{2P - F_1}
# $$ (eq-15-recall)

# %%
best = published_table(4).iloc[-1]
P, F1 = best["precision"], best["f1"]
print(f"{best['backbone']} + {best['optimizer']}: {P} · {F1} / (2 · {P} − {F1}) = {P * F1 / (2 * P - F1):.2f} %")

# %%
detections = audit(printed_table(4))
here.write_table(detections, "audit_table_4")
show.told(detections, "implied", "noted")

# %% [markdown]
# The printed average recalls are other numbers (COCO's are means over ten IoU thresholds), and no column of the table gives the F1. The score and the
# IoU threshold behind precision and F1 are therefore not known. And one row has a precision far above the others with an average precision only a little
# higher. AP looks at all thresholds, precision at one: that of this row may be another.
#
# ## Tables of others
#
# The tables of other authors can be read in the same way. Five come with this package, facts only and every digit as it is printed:
#
# - Oh 2010 {cite:p}`oh2010`: landslides and cells by class of fourteen factors at Jinbu in Korea, with the frequency ratio under the name *likelihood ratio*;
# - Wang 2019 {cite:p}`wang2019`: debris flows of the Bailong River in China by class of susceptibility, as areas with their density (Table 4) and as points with
#   the frequency ratio of their map and of an older one (Table 5);
# - Pei 2018 {cite:p}`pei2018`: landslides along the Belt and Road by class of hazard;
# - Hoang 2025 {cite:p}`hoang2025`: landslides at Than Uyên in Viet Nam by class of susceptibility, with decimal commas and a line of totals.
#
# Two of the five print a ratio. The others print counts, shares or densities, which can be held against each other without one.

# %%
checked = {}
for name in paper.OTHERS:
    checked[name] = audit(printed_table(name))
    here.write_table(checked[name], f"audit_{name}")
verdicts = pd.concat(checked, names=["table", None]).groupby("table", sort=False)["verdict"]
kinds = verdicts.value_counts().unstack(fill_value=0)
kinds = kinds.loc[list(checked), ["impossible", "noted", "implied", "possible"]]
kinds.insert(0, "rows", [len(printed_table(name)) for name in kinds.index])
here.write_table(kinds.reset_index(), "audit_of_others")
source = {name: name.capitalize().replace("2", " 2", 1).replace("_table", ", Table ").replace("_", ".") for name in checked}
kinds.rename(source).rename_axis(index=None, columns=None).rename(columns=str.capitalize)

# %%
wrong = kinds.index[kinds["impossible"] > 0]
print(f"{kinds['rows'].sum()} rows in {len(kinds)} tables: {kinds['impossible'].sum()} number that ", end="")
print(f"cannot be, in {'; '.join(source[name] for name in wrong)}. {(kinds['possible'] > 0).sum()} tables hold checks that ", end="")
print(f"were passed, {kinds['possible'].sum()} in all, each for a whole column of a factor or a map.")

# %%
sentences = [part.assign(sentence=f"{source[name]}: " + part["sentence"]) for name, part in checked.items()]
show.told(pd.concat(sentences).sort_values("verdict", kind="stable"), "impossible", "noted")

# %% [markdown]
# The first line is a slip of the last digit, and one can say where it comes from: the share follows from the counts.

# %%
than_uyen = understand(printed_table("hoang2025_table3_8"))
counts = than_uyen["landslides"].astype(int)
exact = 100 * counts / counts.sum()
print(f"Exact: {', '.join(f'{share:.3f}' for share in exact)} %.")
print(f"Rounded to two digits they add up to {exact.round(2).sum():.2f}, ", end="")
print(f"as printed to {than_uyen['landslide_share'].astype(float).sum():.2f}.")

# %% [markdown]
# Correctly rounded shares need not add up to 100, and a table that makes them do so pays with a digit. It is without consequence, but it is the reason why
# a sum of 99.99 or 100.01 is a good sign rather than a bad one. In the table of Oh all shares and ratios follow from the counts; only the layers do
# not cover exactly the same land. One or two cells are without importance there, but in a table of percentages a lake that one layer knows and another
# does not would show in the same way.
#
# ## The AUC in the text
#
# A class table has bounds of the AUC in it, and the text of the same paper states an AUC. The two need not meet:

# %%
stated = {  # as printed in the text of each source
    ("wang2019_table5", "this study"): 0.6213,
    ("wang2019_table5", "report of 2013"): 0.4338,
    ("pei2018_table4", ""): 0.823,
    ("hoang2025_table3_8", ""): 0.940,
}
rows = []
for (name, model), auc in stated.items():
    found = checked[name].query("check == 'AUC bounds' and where == @model").iloc[0]
    inside = found["low"] <= auc <= found["high"]
    rows.append([name, model, found["low"], found["high"], auc, "yes" if inside else "no"])
names = ["table", "map", "lowest", "highest", "in the text", "can be of this map"]
texts = pd.DataFrame(rows, columns=names)
here.write_table(texts, "auc_in_text")
digits = {"lowest": "{:.3f}", "highest": "{:.3f}", "in the text": "{:.4g}"}
texts["table"] = texts["table"].map(source)
texts.style.hide(axis="index").format(digits, escape="html")

# %%
apart = (texts["can be of this map"] == "no").sum()
print(f"{apart} of {len(texts)} AUC values lie outside what their class table allows. Rounding does ", end="")
print("not explain the narrowest case:")
print(checked["pei2018_table4"].query("check == 'AUC bounds'")["sentence"].item())

# %% [markdown]
# None of this says that a number is wrong. The thesis scores test samples with as many landslides as other places, Pei and others draw points at random, and
# what the older map was scored with is not told. The classes, however, are counted on the map, where the land is as it is. It is the finding of the
# paper's own tables again: an AUC belongs to a population, and a reader who does not know the population cannot compare it.
#
# Table 4 of Wang and others shows how much that may be. The debris flows are areas there, whole catchments, and cover most of the land. Their curve is
# drawn against all land, that is, against land of which most is itself debris flow. Against the other land the same map looks different:

# %%
zones = understand(printed_table("wang2019_table4")).iloc[::-1]
land, flows = zones["area"].astype(float), zones["landslides"].astype(float)
for against, rest in {"all land": land, "the other land": land - flows}.items():
    low, middle, high = auc_bounds(flows.to_numpy(), rest.to_numpy())
    print(f"Against {against}: {low:.3f} to {high:.3f}, {middle:.3f} without order inside classes.")
share = flows.sum() / land.sum()
print(f"Debris flows cover {100 * share:.1f} % of the land, so that a perfect map would reach ", end="")
print(f"{1 - share / 2:.3f} against all of it.")

# %% [markdown]
# The 0.6213 of the text is close to the value against all land. A perfect map would not reach 1 there: where a share $p$ of the land is debris flow, the
# landslides tie with themselves, and the AUC cannot exceed $1 - p/2$.
#
# ## Your own table
#
# The columns are found by their headings: a class, an area or its share, landslides or their share, a frequency ratio, and a model where there are several;
# or precision, recall, F1, IoU, AP. Decimal commas, lines of totals, and remarks above the headings that begin with `#` are understood. In a terminal:
# `lsa audit FILE.csv`, which writes a report. Here: the parameter `table`.

# %%
if p.table:
    own = audit(p.table)
    here.write_table(own, "audit_own")
    display(show.told(own, "impossible", "noted", "implied"))
else:
    print("No table of your own was given.")

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-15-forge
# ```
#
# Make the table of the CNN look better: write 95.00 instead of 83.82 % of the landslide area into its class Very High. Which checks notice? Which other
# numbers would you have to change so that none does?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-15-forge
# :class: dropdown
# ```
#
# The share no longer follows from its area, and the shares no longer add up to 100. The ratio passes, because it is checked by the areas. A forger would have to
# change an area, with it all shares of the column, the ratios, and the total that the three models share.

# %%
forged = printed.copy()
row = (forged["method"] == "CNN") & (forged["susceptibility"] == "Very High")
forged.loc[row, "landslide_area_ratio_pct"] = "95.00"
caught = audit(forged).query("verdict == 'impossible' and where.str.startswith('CNN')")
assert set(caught["check"]) == {"landslide share", "sum of landslide shares"}
show.told(caught, "impossible")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-15-ratio
# ```
#
# A paper prints for its highest class: area 2.0 %, landslides 31.4 %, frequency ratio 15.4. A reviewer divides, gets 15.70 and calls it a misprint. Is
# the reviewer right? And if the area were printed as 2.00 %?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-15-ratio
# :class: dropdown
# ```
#
# Each number is an interval, and the ratio is smallest when the landslides are as few and the area is as large as rounding lets them be.

# %%
for printed_area in ("2.0", "2.00"):
    ends = intervals(pd.Series([printed_area, "31.4", "15.4"], ["area", "slides", "ratio"]))
    low = ends.loc["slides", "low"] / ends.loc["area", "high"]
    high = ends.loc["slides", "high"] / ends.loc["area", "low"]
    meet = low <= ends.loc["ratio", "high"] and ends.loc["ratio", "low"] <= high
    print(f"Area {printed_area} %: the ratio lies between {low:.2f} and {high:.2f}; 15.4 is {'possible' if meet else 'a misprint'}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Summary

# %%
failed = kinds["impossible"].sum() + (findings["verdict"] == "impossible").sum()
print(f"{kinds['rows'].sum() + len(printed)} rows of {1 + len(kinds)} tables of classes: {failed} numbers cannot be what they are.")
print(f"The lowest AUC that the CNN's classes allow is {bounds.loc['cnn', 'lowest']:.3f}, the highest of the others {bounds['highest'].drop('cnn').max():.3f}; {apart} of {len(texts)} stated AUC values of others do not fit their classes.")

# %% [markdown]
# A printed number is an interval, and arithmetic with intervals tells misprints from rounding. Class tables bound the AUC of the map; precision and F1 hold the
# recall. A table `audit_….csv` for each table read here holds every finding with its numbers, `audit_of_others.csv` how many there are, and
# `auc_in_text.csv` the AUC of the texts beside their bounds.
#
# ## What's next
#
# The page *Published results we compare with* keeps what follows for this book. To compare runs of your own, see *Many runs*.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,oh2010,wang2019,pei2018,hoang2025`.
