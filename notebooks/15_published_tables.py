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
# nobody printed follow from them. This chapter takes Tables 4 and 5 of {cite:t}`yao2026` and thirteen tables of {cite:t}`oh2010` apart. It needs no
# run, no data and no map: only the printed digits.
#
# **You will learn** (1) that a printed number is a {term}`rounding interval`, (2) how to tell a misprint from rounding, (3) what a table of classes says
# about the AUC, (4) how to get the recall that nobody printed from precision and F1.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | frequency ratio | necessary | chapter 6 |
# | AUC, precision, recall, F1 | necessary | chapters 2 and 5, and the glossary |
#
# **Time to learn** about 25 minutes. It runs in seconds.

# %% tags=["parameters"]
run_dir: str = ""  # folder that gets the tables and figures; empty: the working directory
table: str = ""  # a CSV file of your own; empty: the published ones

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from lsa_helpers import paper
from lsa_helpers.audit import auc_bounds, audit, intervals
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
area.assign(printed=forest["area_km2"])[["printed", "low", "high"]]

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
totals.round(2)

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
bounds.rename(style.MODEL_LABELS).round(3)

# %% mystnb={"figure": {"caption": "What Table 5 leaves open of the ROC curve on the map. Dots are the corners that the classes give; the curve lies in the shaded boxes.", "name": "fig-15-bounds"}, "image": {"alt": "Three panels, one per model, with the corners of the ROC curve from five classes and shaded boxes between them, small for the CNN and large for random forest and XGBoost"}}
style.save(show.roc_bounds(amounts), here, "roc_bounds")

# %%
lead = 100 * (bounds.loc["cnn", "lowest"] - bounds["highest"]).drop("cnn")
leads = pd.DataFrame({"at least, on the map": lead, "abstract": [4.3, 3.2]})
leads.rename(style.MODEL_LABELS).round(1)

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
# The tables of other papers can be read in the same way. {cite:t}`oh2010` prints landslides and cells by class for fourteen factors at Jinbu in Korea,
# with the frequency ratio under the name *likelihood ratio*. Thirteen of them come with this package (facts only; the fiftyfold soil textures are left
# out). Counts are exact, so nothing but the last digit of a ratio is open:

# %%
name, source = next(iter(paper.OTHERS.items()))
jinbu = printed_table(name)
checked = audit(jinbu)
here.write_table(checked, f"audit_{name}")
ratios = checked[checked["check"].isin(["area share", "landslide share", "frequency ratio"])]
print(f"{source}: {len(jinbu)} classes of {jinbu['factor'].nunique()} factors.")
ratios.groupby("check")["verdict"].value_counts().unstack(fill_value=0)

# %%
show.told(checked, "impossible", "noted")

# %% [markdown]
# A clean bill: more than a hundred lines, three numbers each, and every one follows from the counts. Only the layers do not cover exactly the same land;
# one or two cells of 597,884 are without importance here, but in a table of percentages a lake that one layer knows and another does not would show in
# the same way.
#
# ## Your own table
#
# The columns are found by their headings: a class, an area or its share, landslides or their share, a frequency ratio, and a model where there are several;
# or precision, recall, F1, IoU, AP. In a terminal: `lsa audit FILE.csv`, which writes a report. Here: the parameter `table`.

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
# ## Summary
#
# A printed number is an interval, and arithmetic with intervals tells misprints from rounding. Class tables bound the AUC of the map; precision and F1 hold the
# recall. `audit_table_4.csv`, `audit_table_5.csv` and `audit_oh2010_table2.csv` hold every finding with its numbers.
#
# ## What's next
#
# The page *Published results we compare with* keeps what follows for this book. To compare runs of your own, see *Many runs*.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,oh2010`.
