"""The split: whole scenes, strips with a gap, runs of neighbours, and that no neighbours part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers.detect.chips import Chip, count_table, need_training
from lsa_helpers.detect.layouts import read_collection
from lsa_helpers.detect.split import split_chips, split_table
from lsa_helpers.errors import InputError
from lsa_helpers.mountain.chips import write_chips

UTM = "EPSG:32648"


def _chip(col, row, scene="mosaic", platform="UAV", edge=256.0, crs=UTM):
    """A chip of a grid on the ground, 256 m wide."""
    left, bottom = 2e5 + col * edge, 3e6 + row * edge
    footprint = (crs, left, bottom, left + edge, bottom + edge)
    path = Path(f"{scene}_{row:03}_{col:03}.tif")
    return Chip(path, (), platform=platform, scene=scene, footprint=footprint)


def _gaps(chips):
    """Empty ground between every two chips of different parts, in edges of a chip: the larger of
    the two directions; 0 where they meet. By their corners alone, unlike the code.
    """
    left, bottom, right, top = np.array([chip.footprint[1:] for chip in chips]).T
    apart = np.maximum(left - right[:, None], bottom - top[:, None])
    crs, part = (
        np.array(names) for names in zip(*[(c.footprint[0], c.split) for c in chips], strict=True)
    )
    counts = (crs == crs[:, None]) & (part != part[:, None]) & (part != "gap")
    counts &= counts.T
    return np.maximum(0, np.maximum(apart, apart.T)[counts]) / (right - left).min()


@pytest.mark.known_by("a count of neighbours", "Split of the chips")
def test_no_neighbours_part_in_the_simulated_collection(tmp_path):
    """Six mountains of a chip a platform: whole ones in each part, every platform in all parts, and
    kilometres between the parts.
    """
    write_chips(tmp_path, per_platform=6, seed=3, size=64)
    chips = split_chips(read_collection(tmp_path, "cas"), 0)
    assert split_table(chips).to_numpy().tolist() == [
        ["train", 24, 4, 0],
        ["val", 6, 1, 0],
        ["test", 6, 1, 0],
    ]
    mountains = {chip.image.stem.split("_")[-2]: chip.split for chip in chips}
    assert all(mountains[chip.image.stem.split("_")[-2]] == chip.split for chip in chips)
    assert count_table(chips)[["train", "val", "test"]].to_numpy().tolist() == [[4, 1, 1]] * 6
    assert _gaps(chips).min() > 3


def test_a_mosaic_is_cut_into_strips_with_a_gap_of_a_chip():
    """10 × 4 chips across the longer side: a column tests, one validates, the one beside each
    belongs to no part; the same for the same seed, and not always the same end.
    """
    grid = [_chip(col, row) for row in range(4) for col in range(10)]
    chips = split_chips(grid, 0)
    ends = [[chip.split for chip in split_chips(grid, seed)[:10]] for seed in range(8)]
    one = ["test", "gap", *["train"] * 6, "gap", "val"]
    assert sorted({tuple(end) for end in ends}) == sorted([tuple(one), tuple(one[::-1])])
    assert [chip.split for chip in chips] == ends[0] * 4
    assert _gaps(chips).min() == pytest.approx(1.0)
    assert split_table(chips)[["chips", "neighbours"]].to_numpy().tolist() == [
        [24, 0],
        [4, 0],
        [4, 0],
    ]


GRIDS = st.sets(st.tuples(st.integers(0, 15), st.integers(0, 5)), min_size=30, max_size=70)


@given(GRIDS, st.integers(1, 8), st.integers(0, 3))
def test_no_neighbours_part_where_places_are_known(places, n_scenes, seed):
    """Any chips of a mosaic that is cut into scenes of columns: whatever the rule, parts do not
    meet unless runs of the list had to stand for scenes, and the table then says how often.
    """
    grid = [_chip(col, row, f"s{col * n_scenes // 16}") for col, row in sorted(places)]
    chips = split_chips(grid, seed)
    meeting = (_gaps(chips) == 0).sum()
    fell_back = any(" part " in chip.scene for chip in chips)
    assert meeting == 0 or fell_back
    assert (split_table(chips)["neighbours"].sum() > 0) == (meeting > 0)
    assert {chip.split for chip in chips} >= {"train", "val", "test"}


def test_what_meets_on_the_ground_is_one_scene():
    """Six mosaics far apart, of which a second satellite saw one: both images of it stay together,
    though their scenes have two names.
    """
    far = [_chip(100 * scene, row, f"s{scene}") for scene in range(6) for row in range(3)]
    again = [_chip(200.5, row, "t2", "Landsat") for row in range(3)]
    for seed in range(6):
        split = {chip.image: chip.split for chip in split_chips(far + again, seed)}
        assert {split[chip.image] for chip in again} == {split[chip.image] for chip in far[6:9]}
    elsewhere = [replace(chip, footprint=("EPSG:32649", *chip.footprint[1:])) for chip in again]
    for seed in range(6):  # another zone: the same numbers are other ground, with parts of its own
        chips = split_chips(far + elsewhere, seed)
        assert {chip.split for chip in chips[-3:]} == {"train", "val", "test"}


def test_two_platforms_over_one_ground_are_cut_at_the_same_places():
    """A coarse mosaic over a fine one: no coarse test chip shows what a fine chip trains on."""
    fine = [_chip(col, row) for row in range(8) for col in range(24)]
    coarse = [
        _chip(col, row, "coarse", "Landsat", edge=512.0) for row in range(4) for col in range(12)
    ]
    chips = split_chips(fine + coarse, 1)
    assert _gaps(chips).min() >= 1
    assert split_table(chips)["chips"].min() >= 8 and split_table(chips)["neighbours"].sum() == 0


def test_a_large_scene_trains():
    """Of six scenes one holds half of the chips: it never tests, which would leave half to learn
    from; the others share the tenths.
    """
    chips = [Chip(Path(f"{i}.png"), (), scene="large") for i in range(25)]
    chips += [Chip(Path(f"{i}.png"), (), scene=f"s{i % 5}") for i in range(25)]
    for seed in range(10):
        table = split_table(split_chips(chips, seed)).set_index("part")
        assert table["chips"].tolist() == [40, 5, 5] and table["scenes"].tolist() == [4, 1, 1]
        assert table["neighbours"].isna().all()  # nothing is known of their places


def test_without_scene_and_place_runs_of_the_list_stay_together(cas_folder):
    """Two platforms of twelve numbered chips without georeference: ten runs of neighbours each, one
    of them tests and one validates; the same for the same seed.
    """
    chips = split_chips(read_collection(cas_folder, "cas"), 3)
    for platform in ("UAV", "GF-1"):
        own = [chip for chip in chips if chip.platform == platform]
        assert len({chip.scene for chip in own}) == 10
        assert len({(chip.scene, chip.split) for chip in own}) == 10
        assert {chip.split for chip in own} == {"train", "val", "test"}
    again = split_chips(read_collection(cas_folder, "cas"), 3)
    assert [chip.split for chip in chips] == [chip.split for chip in again]


@pytest.mark.parametrize(("columns", "cut"), [(4, False), (7, False), (8, True)])
def test_a_small_ground_is_not_lost_to_gaps(columns, cut):
    """Eight columns of chips are a test strip, a validation strip, two gaps and four to learn from;
    fewer columns are split in runs, and the table counts who meets whom.
    """
    chips = split_chips([_chip(col, row) for row in range(3) for col in range(columns)], 0)
    assert {chip.split for chip in chips} == {"train", "val", "test"} | ({"gap"} if cut else set())
    assert split_table(chips)["neighbours"].gt(0).tolist() == [not cut] * 3


@pytest.mark.parametrize("scenes", [4, 5])
def test_five_scenes_are_split_whole(scenes):
    """Of five one tests and one validates; of four each is cut into strips."""
    grid = [
        _chip(100 * scene + col, row, f"s{scene}")
        for scene in range(scenes)
        for col in range(10)
        for row in range(2)
    ]
    chips = split_chips(grid, 0)
    of_scene = {
        name: {chip.split for chip in chips if chip.scene == name}
        for name in {chip.scene for chip in chips}
    }
    assert {len(parts) for parts in of_scene.values()} == ({1} if scenes == 5 else {4})
    assert split_table(chips)["neighbours"].sum() == 0


@pytest.mark.parametrize(
    ("count", "parts"),
    [(0, []), (1, ["test"]), (2, ["test", "val"]), (3, ["test", "train", "val"])],
)
def test_few_chips_are_split_too(count, parts):
    """Too few to train on is told by `need_training`, not by a failure of the split."""
    chips = split_chips([_chip(col, 0) for col in range(count)], 0)
    assert sorted(chip.split for chip in chips) == parts
    assert split_table(chips)["chips"].sum() == count
    if 0 < count < 3:
        with pytest.raises(InputError, match="no training chips"):
            need_training(chips)


def test_an_index_of_a_cas_collection_names_scenes(cas_folder):
    """What an ``index.csv`` says of scene and split is believed; other chips keep their own."""
    (cas_folder / "index.csv").write_text("id,scene,split\nchip_0,north,\nchip_1,,test\n")
    for path in (cas_folder / "Longxi river（GF-1）" / "img").glob("*"):
        path.rename(path.with_name(f"chip_{int(path.stem[-3:])}.tif"))
    chips = read_collection(cas_folder, "cas")
    named = {chip.image.stem: (chip.scene, chip.split) for chip in chips}
    assert named["chip_0"] == ("north", "") and named["chip_2"] == ("Longxi river（GF-1）/chip", "")
    assert named["chip_1"] == ("Longxi river（GF-1）/chip", "test")


def test_an_index_of_masks_names_scenes(masks_folder):
    """Without a scene a chip is one of its own; an image named twice is told."""
    chips = read_collection(masks_folder, "masks")
    assert [chip.scene for chip in chips] == [f"a{i}" for i in range(6)]
    (masks_folder / "index.csv").write_text("id,scene\na0,north\na1,north\na2,\n")
    chips = read_collection(masks_folder, "masks")
    assert [(chip.image.stem, chip.scene, chip.split) for chip in chips] == [
        ("a0", "north", ""),
        ("a1", "north", ""),
        ("a2", "a2", ""),
    ]
    (masks_folder / "index.csv").write_text("id,scene\na0,north\na0,south\n")
    with pytest.raises(InputError, match='twice.*"a0"'):
        read_collection(masks_folder, "masks")


def test_given_split_is_kept(masks_folder):
    """A collection's own split is not touched."""
    chips = split_chips(read_collection(masks_folder, "masks"), 0)
    assert [chip.split for chip in chips] == ["train"] * 4 + ["val", "test"]
