"""What the written pages promise about files is what the parameter files read."""

from pathlib import Path

import yaml

from lsa_helpers.runner import pages

ROOT = Path(__file__).parents[2]


def test_the_data_page_names_the_papers_files_as_moxi_reads_them():
    """Every path of ``moxi.catalog.yml`` stands on the page that says which file goes where."""
    page = (ROOT / "book/data.md").read_text(encoding="utf-8")
    catalog = yaml.safe_load(
        (ROOT / "notebooks/params/moxi.catalog.yml").read_text(encoding="utf-8")
    )
    paths = [entry["path"] for entry in catalog.values() if isinstance(entry, dict)]
    assert len(paths) >= 10
    assert not [path for path in paths if path not in page]


def test_how_to_cite_is_what_the_citation_file_says(tmp_path):
    """Version, date and names; a DOI once there is one; a group's name stays whole."""
    file = tmp_path / "CITATION.cff"
    facts = "title: T\nversion: 1.2.0\ndate-released: '2026-11-27'\n"
    people = "authors: [{name: The Team}, {family-names: Li, given-names: Yu}]\n"
    file.write_text(facts + people, encoding="utf-8")
    text = pages.cite_page(file)
    assert "author = {{The Team} and Li, Yu}," in text and "year = {2026}" in text
    assert "no DOI" in text and "doi =" not in text
    file.write_text(f"{facts}{people}doi: 10.5281/zenodo.1\n", encoding="utf-8")
    text = pages.cite_page(file)
    assert "https://doi.org/10.5281/zenodo.1" in text and "doi = {10.5281/zenodo.1}," in text
