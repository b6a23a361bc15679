import re
from pathlib import PurePosixPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aerial_kedro.errors import AerialError
from aerial_kedro.tiles.folders import TileTree, arrange_tree, image_id_of

ROOT = "/data/tiles"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=30)
PATHS = st.lists(NAMES.filter(lambda name: name not in {".", ".."}), min_size=2, max_size=4).map(
    "/".join
)


def arrange(*paths: str) -> TileTree:
    return arrange_tree(ROOT, [(path, f"{ROOT}/{path}", "v1") for path in paths])


def refuse(match: str, *paths: str) -> None:
    with pytest.raises(AerialError, match=match) as refusal:
        arrange(*paths)
    assert ROOT in str(refusal.value)


class TestLayouts:
    def test_class_folders_alone_leave_the_split_open(self) -> None:
        tree = arrange("Forest/b.png", "Forest/a.JPG", "Barren/deep/er/c.tiff")
        assert [(file.path, file.label, file.split) for file in tree.files] == [
            ("Barren/deep/er/c.tiff", "Barren", None),
            ("Forest/a.JPG", "Forest", None),
            ("Forest/b.png", "Forest", None),
        ]
        assert tree.files[0].href == f"{ROOT}/Barren/deep/er/c.tiff"
        assert tree.files[0].source_version == "v1"

    @pytest.mark.parametrize("validation", ["validation", "val", "Val"])
    def test_split_folders_say_the_split(self, validation: str) -> None:
        tree = arrange(
            "train/A/1.png", "Train/B/2.png", "test/A/3.png", f"{validation}/B/deep/4.png"
        )
        found = {PurePosixPath(file.path).name: (file.label, file.split) for file in tree.files}
        assert found == {
            "1.png": ("A", "train"),
            "2.png": ("B", "train"),
            "3.png": ("A", "test"),
            "4.png": ("B", "validation"),
        }

    @pytest.mark.parametrize(
        ("train", "validation", "test"),
        [
            ("train", "val", "test"),
            ("Training", "Validation", "TESTING"),
            ("trn", "dev", "tst"),
            ("train_set", "valid-set", "Test Set"),
            ("TrainImages", "validate", "testset"),
            ("seg_train", "seg_val", "seg_test"),
            ("train2017", "val2017", "test2017"),
            ("train-jpg", "val-jpg", "test-jpg"),
        ],
    )
    @pytest.mark.parametrize(
        "layout",
        [
            "{split}/{label}/x.png",
            "{label}/{split}/x.png",
            "EuroSAT/{split}/{label}/x.png",
            "{split}/{split}/{label}/x.png",
            "a/b/{label}/{split}/deep/x.png",
            "{split}/images/{label}/x.png",
        ],
    )
    def test_splits_have_many_names_at_any_level(
        self, train: str, validation: str, test: str, layout: str
    ) -> None:
        splits = {"train": train, "validation": validation, "test": test}
        wanted = {
            layout.format(split=name, label=label): (label, split)
            for split, name in splits.items()
            for label in ("Forest", "Water")
        }
        found = {file.path: (file.label, file.split) for file in arrange(*wanted).files}
        assert found == wanted

    def test_a_folder_that_holds_all_is_looked_through_with_a_word(self) -> None:
        tree = arrange("EuroSAT_RGB/Forest/1.jpg", "EuroSAT_RGB/Water/2.jpg", "readme.txt")
        assert [file.label for file in tree.files] == ["Forest", "Water"]
        assert tree.remarks[0].startswith("All tiles lie in EuroSAT_RGB/")

    def test_a_class_is_not_looked_through_beside_another(self) -> None:
        refuse(
            "one class only .*'Water' holds no image that is read, only 1 .npy",
            "Forest/north/1.png", "Forest/south/2.png", "Water/3.npy",
        )  # fmt: skip

    @pytest.mark.parametrize("name", ["dev", "Valley", "Trainyard", "training camp", "Testudo"])
    def test_a_class_that_only_sounds_like_a_split(self, name: str) -> None:
        tree = arrange(f"{name}/1.png", "Forest/2.png")
        assert [(file.label, file.split) for file in tree.files] == [
            (label, None) for label in sorted(["Forest", name])
        ]

    def test_two_folders_of_one_split_are_one_with_a_word(self) -> None:
        tree = arrange("train/A/1.png", "Training/B/2.png", "test/A/3.png")
        assert [file.split for file in tree.files] == ["train", "test", "train"]
        assert tree.remarks == ("The folders Training, train were all taken for train tiles",)

    def test_classes_without_an_image_are_named(self) -> None:
        paths = ["A/1.png", "B/2.png", "C/3.npy", "C/deep/4.npy", "D/5.txt", "A/6.npy"]
        remarks = arrange(*paths).remarks
        assert [remark[: remark.index(":")] for remark in remarks] == [
            "The class folder 'C' holds no image that is read, only 2 .npy",
            "The class folder 'D' holds no image that is read, only 1 .txt",
        ]

    @pytest.mark.parametrize(
        "suffix", [".bmp", ".WEBP", ".jfif", ".gif", ".jp2", ".jpe", ".JPEG", ".tif"]
    )
    def test_images_of_every_suffix_are_tiles(self, suffix: str) -> None:
        assert len(arrange(f"A/1{suffix}", f"_B/_2{suffix}").files) == 2

    def test_a_test_folder_need_not_hold_every_class(self) -> None:
        assert len(arrange("train/A/1.png", "train/B/2.png", "test/A/3.png").files) == 3

    def test_files_that_are_no_images_are_listed_as_ignored(self) -> None:
        tree = arrange("A/1.png", "B/2.jpeg", "readme.txt", "A/Thumbs.db", "A/1.png.aux.xml")
        assert len(tree.files) == 2
        assert tree.ignored == ("A/1.png.aux.xml", "A/Thumbs.db", "readme.txt")

    def test_the_order_of_the_listing_does_not_matter(self) -> None:
        paths = ["A/1.png", "B/2.png", "A/3.png", "x.txt"]
        assert arrange(*paths) == arrange(*reversed(paths))


class TestRefused:
    def test_a_folder_without_images(self) -> None:
        refuse(r"no tile image .*, only other files: 1 \.txt", "A/readme.txt")
        refuse(r"no tile image .*\.png")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Forest", "forest"),
            ("Forêt", "Fore\u0302t"),
            ("Row crop", "Row_crop"),
            ("Row crop", "row-crop"),
            ("Row crop", "Row  crop"),
            ("Forest", " Forest"),
            ("Forest", "Forest "),
            ("Row crop", "Row\u00a0crop"),
            ("Forest", "For\u200best"),
        ],
    )
    def test_classes_that_read_the_same(self, one: str, other: str) -> None:
        remedy = "Rename one so that it reads differently, or move"
        refuse(f"look like one class.*{remedy}", f"{one}/a.png", f"{other}/b.png")
        refuse(remedy, f"train/{one}/a.png", "train/B/b.png", f"test/{other}/c.png")

    @pytest.mark.parametrize(
        ("one", "other"), [("-1", "1"), ("A 1", "A1"), ("A", "Ä"), ("C", "C+"), ("l", "1")]
    )
    def test_names_that_differ_are_two_classes(self, one: str, other: str) -> None:
        assert {file.label for file in arrange(f"{one}/a.png", f"{other}/b.png").files} == {
            one,
            other,
        }

    def test_images_outside_every_class_folder(self) -> None:
        refuse(r"image c\.png .*lies in no class folder", "A/a.png", "B/b.png", "c.png")
        refuse(
            r"image train/c\.png .*lies in no class folder",
            "train/A/a.png", "train/B/b.png", "train/c.png", "test/A/d.png",
        )  # fmt: skip

    def test_one_class(self) -> None:
        refuse(r"one class only \('A'\)", "A/a.png", "A/b.png")
        refuse(r"one class only \('A'\)", "train/A/a.png", "test/A/b.png")

    def test_one_class_beside_documents_may_be_a_folder_too_high(self) -> None:
        refuse(
            r"one class only \('EuroSAT'\).*'docs' holds no image.*folders are the classes",
            "EuroSAT/Forest/a.png", "EuroSAT/Water/b.png", "docs/readme.txt",
        )  # fmt: skip

    def test_classes_that_are_all_called_like_splits(self) -> None:
        refuse(
            "folders test_small, train_small .*called like splits",
            "train_small/A/a.png", "test_small/A/b.png",
        )  # fmt: skip
        assert len(arrange("Test site/a.png", "Forest/b.png").files) == 2

    def test_an_image_of_two_splits(self) -> None:
        refuse(
            r"train/A/test/b\.png .*two splits \(train, test\)",
            "train/A/a.png", "train/B/b.png", "train/A/test/b.png", "test/A/c.png",
        )  # fmt: skip

    def test_one_split_folder_without_the_other(self) -> None:
        refuse("no test/ folder", "train/A/a.png", "train/B/b.png")
        refuse("no train/ folder", "test/A/a.png", "test/B/b.png")
        refuse("no test/ folder", "train/A/a.png", "train/B/b.png", "val/A/c.png")

    @pytest.mark.parametrize(("folder", "name"), [("test", "test"), ("val", "validation")])
    def test_classes_that_were_never_trained(self, folder: str, name: str) -> None:
        refuse(
            rf"\['C'\] are in {ROOT} among the {name} tiles but not among the training tiles",
            "train/A/a.png", "train/B/b.png", "test/A/c.png", f"{folder}/C/d.png",
        )  # fmt: skip

    @pytest.mark.parametrize("beside", ["extra", "evaluation", "Forest"])
    def test_split_folders_and_class_folders_side_by_side(self, beside: str) -> None:
        refuse(
            rf"split folder\(s\) test, train.*{beside}.*taken for classes",
            "train/A/a.png", "test/A/b.png", f"{beside}/A/c.png",
        )  # fmt: skip


class TestImageIds:
    @given(PATHS, PATHS)
    def test_differ_for_different_paths(self, first: str, second: str) -> None:
        assume(first != second)
        assert image_id_of(first) != image_id_of(second)

    @given(PATHS)
    def test_hold_plain_characters_only(self, path: str) -> None:
        assert re.fullmatch(r"[a-z0-9_-]{1,109}", image_id_of(path))

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("Forest/a.png", "Forest/a.jpg"),
            ("Forest/a.png", "Forest/A.png"),
            ("Forest/a b.png", "Forest/a_b.png"),
            ("Forest/a/b.png", "Forest/a_b.png"),
            ("É/1.png", "È/1.png"),
            ("A/" + "x" * 200 + "1.png", "B/" + "x" * 200 + "1.png"),
        ],
    )
    def test_differ_where_plain_characters_would_not(self, first: str, second: str) -> None:
        assert image_id_of(first) != image_id_of(second)

    def test_do_not_change_from_run_to_run(self) -> None:
        assert image_id_of("train/Forest/tile 1.png") == "train_forest_tile_1-99860c09"
