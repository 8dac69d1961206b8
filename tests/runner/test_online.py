"""A book on a web server."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from lsa_helpers.errors import InputError
from lsa_helpers.runner.online import Online, put_online, sitemap, with_card
from lsa_helpers.runner.publish import set_values

PAGE = (
    "<html><head><title>A &amp; B — Rock &amp; rain</title></head><body><h1>To print</h1>"
    "<article><h1>A</h1><p>Where <em>it</em> slides &lt;here&gt;¶.</p></article>"
    "<footer></footer></body></html>"
)
ADDRESS = "https://example.org/lsa"
GITHUB = "https://github.com/you/code"


def site(folder):
    """Something like a built book, whose first page leads to another."""
    folder.mkdir(exist_ok=True)
    goes_on = '<meta http-equiv="Refresh" content="0; url=book/index.html" />'
    (folder / "index.html").write_text(goes_on, encoding="utf-8")
    for name in ("book/index.html", "notebooks/01_data.html", "search.html", "_static/frame.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(PAGE, encoding="utf-8")
    return folder


def test_a_page_says_what_a_link_to_it_shows():
    """Title, first words of the text, picture and address; words of the page stay words."""
    text = with_card(PAGE, f"{ADDRESS}/v1/", "notebooks/01_data.html")
    head = text[: text.index("</head>")]
    for line in (
        '<meta property="og:title" content="A &amp; B — Rock &amp; rain">',
        '<meta property="og:description" content="Where it slides &lt;here&gt;.">',
        f'<meta property="og:url" content="{ADDRESS}/v1/notebooks/01_data.html">',
        f'<meta property="og:image" content="{ADDRESS}/v1/social-card.png">',
    ):
        assert line in head
    assert "og:url" not in with_card(PAGE, "", "index.html")


def test_versions_stand_side_by_side(tmp_path):
    """The newest is the one the front leads to; the same version again replaces its pages."""
    out = tmp_path / "site"
    for number, version in enumerate(("v1", "v2", "v1")):
        built = site(tmp_path / str(number))
        (built / f"only_{number}.html").write_text(PAGE, encoding="utf-8")
        put_online(built, out, Online(ADDRESS, version=version))
    assert not (out / "v1/only_0.html").exists() and (out / "v1/only_2.html").exists()
    known = json.loads((out / "versions.json").read_text(encoding="utf-8"))
    assert [item["version"] for item in known] == ["v1", "v2"]
    assert [item["preferred"] for item in known] == [True, False]
    assert known[1]["url"] == f"{ADDRESS}/v2/"
    assert '"v2/index.html">v2' in (out / "versions.html").read_text(encoding="utf-8")
    deep = (out / "v1/notebooks/01_data.html").read_text(encoding="utf-8")
    assert 'href="../../versions.html"' in deep
    with pytest.raises(InputError, match="holds versions"):
        put_online(site(tmp_path / "last"), out, Online(ADDRESS))
    front = (out / "index.html").read_text(encoding="utf-8")
    assert 'url=v1/index.html"' in front and "<title>Rock &amp; rain</title>" in front
    assert f"Sitemap: {ADDRESS}/sitemap.xml" in (out / "robots.txt").read_text(encoding="utf-8")


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    """Only a site is replaced."""
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match="holds something that is no book"):
        put_online(site(tmp_path / "built"), out, Online())
    assert (out / "chapter.txt").read_text(encoding="utf-8") == "years of work"


def test_a_site_without_address_is_whole_too(tmp_path):
    """Nothing names an address that nobody gave."""
    index = put_online(site(tmp_path / "built"), tmp_path / "out", Online())
    assert index == tmp_path / "out" / "index.html" and index.is_file()
    assert not (tmp_path / "out" / "sitemap.xml").exists()
    assert "http" not in (tmp_path / "out" / "robots.txt").read_text(encoding="utf-8")


def test_the_map_of_the_site_holds_its_pages(tmp_path):
    """Those to read, with their whole address, as XML."""
    root = ElementTree.fromstring(sitemap(site(tmp_path), f"{ADDRESS}/").encode())
    places = [element.text for element in root.iter() if element.tag.endswith("loc")]
    pages = ("book/index.html", "index.html", "notebooks/01_data.html")
    assert places == [f"{ADDRESS}/{page}" for page in pages]


def test_what_is_given_reaches_the_configuration(tmp_path):
    """Values at any depth are set, the others stay."""
    file = tmp_path / "_config.yml"
    file.write_text("html: {extra_footer: x, baseurl: ''}\ntitle: T\n", encoding="utf-8")
    set_values(file, Online(ADDRESS, "https://gitlab.example.org/you/code", "dev", "v1").config())
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert config["html"]["extra_footer"] == "x" and config["title"] == "T"
    assert config["html"]["baseurl"] == f"{ADDRESS}/v1/"
    assert config["repository"] == {"url": "https://gitlab.example.org/you/code", "branch": "dev"}
    assert config["html"]["use_edit_page_button"] and "binderhub_url" in config["launch_buttons"]
    assert "colab_url" not in config["launch_buttons"], "Colab opens GitHub alone"
    assert "colab_url" in Online(repository=GITHUB).config()["launch_buttons"]


def test_a_chapter_says_how_to_run_it_elsewhere(tmp_path):
    """With the address that was given, on the pages that are notebooks; without one, nothing."""
    put_online(site(tmp_path / "built"), tmp_path / "out", Online(repository=GITHUB, branch="dev"))
    chapter = (tmp_path / "out/notebooks/01_data.html").read_text(encoding="utf-8")
    line = f"%pip install -q &quot;lsa-helpers[networks] @ git+{GITHUB}@dev&quot;"
    assert f">{line}</pre>" in chapter[chapter.index("<h1>A</h1>") :]
    assert "%pip" not in (tmp_path / "out/index.html").read_text(encoding="utf-8")
    put_online(site(tmp_path / "second"), tmp_path / "plain", Online())
    assert "%pip" not in (tmp_path / "plain/notebooks/01_data.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", [{"address": "example.org"}, {"repository": 'https://a"b'}])
def test_what_is_no_address_is_told(wrong):
    """So is a version that is no name of a folder."""
    with pytest.raises(InputError, match="no web address"):
        Online(**wrong).check()
    with pytest.raises(InputError, match="github or gitlab.*Leave --repository out"):
        Online(repository="https://example.org/you/code").check()
    with pytest.raises(InputError, match="no name of a folder"):
        Online(version="../up").check()
    Online(ADDRESS, "https://gitlab.example.org/you/code", version="v1.0").check()
