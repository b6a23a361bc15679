"""Layouts of class folders: which folder of a path is the class, which the split, which neither."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.names import some

_WORDS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
    **dict.fromkeys(("validation", "validate", "valid", "validating", "val"), "validation"),
}
# Splits where a folder of training tiles is there too; else they may be classes.
_WEAK_WORDS = {"dev": "validation", "devel": "validation", "holdout": "test"}
# What may stand beside them in a name, as in `train_set`, `seg_test` or `Validation images`.
_FILLERS = {
    *("set", "data", "dataset", "split", "subset", "part", "folder", "dir"),
    *("image", "images", "img", "imgs", "picture", "pictures", "tile", "tiles", "patches", "chips"),
    *("seg", "rgb", "full", "all", "jpg", "jpeg", "png", "tif", "tiff", ""),
}
_SPLIT_NAMES = "train, training, trn; test, testing, tst; val, valid, validation"


@dataclass(frozen=True)
class Layout:
    """What the folders of a tree mean.

    Parameters
    ----------
    places
        Path of an image to its class and its split (None in a tree without split folders).
    splits
        Name of a split folder to its split.
    wrappers
        Folders that hold all there is, from the root on.
    """

    places: Mapping[str, tuple[str, str | None]]
    splits: Mapping[str, str]
    wrappers: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes, sorted."""
        return tuple(sorted({label for label, _ in self.places.values()}))

    def class_of(self, path: str) -> str | None:
        """Class folder of a file of any kind; None where it lies in none."""
        parts = [name for name in PurePosixPath(path).parts[:-1] if name not in self.splits]
        depth = len(self.wrappers)
        return parts[depth] if tuple(parts[:depth]) == self.wrappers and parts[depth:] else None

    def remarks(self) -> list[str]:
        """Say which folders were looked through, and which were taken for one split."""
        remarks = []
        if self.wrappers:
            remarks.append(
                f"All tiles lie in {'/'.join(self.wrappers)}/: the folders in it were taken for "
                "the classes"
            )
        for split in sorted(set(self.splits.values())):
            names = [name for name in self.splits if self.splits[name] == split]
            if len(names) > 1:
                remarks.append(f"The folders {some(names)} were all taken for {split} tiles")
        return remarks


def read_layout(root: str, paths: Sequence[str], others: Sequence[str] = ()) -> Layout:
    """Find class and split of every image from the folders above it.

    A folder called like a split says the split, wherever it stands (``train/Forest``,
    ``Forest/train``, ``tiles/train/Forest``). Of the others the first is the class, apart from
    folders that hold all there is (``EuroSAT_RGB/Forest``).

    Parameters
    ----------
    root
        The folder, for messages.
    paths
        Paths of the images below it.
    others
        Paths of other files, of which none may lie beside a folder that is looked through.

    Raises
    ------
    AerialError
        If an image lies in no class folder, some images lie in split folders and others do not,
        one lies in folders of two splits, or all classes are called like splits.
    """
    folders = {path: PurePosixPath(path).parts[:-1] for path in paths}
    names = {name for parts in folders.values() for name in parts}
    words = _split_words(names)
    splits = {path: _split_of(path, parts, words, root) for path, parts in folders.items()}
    undivided = [path for path, split in splits.items() if split is None]
    if words and undivided and len(undivided) < len(paths):
        raise AerialError(
            f"The folder {root} has the split folder(s) {some(sorted(words))}, and images outside "
            f"them in {some(_tops(undivided))}, which would be taken for classes. Keep to folders "
            f"of splits ({_SPLIT_NAMES}), or to class folders alone."
        )
    rest = {
        path: tuple(name for name in parts if name not in words) for path, parts in folders.items()
    }
    beside = [PurePosixPath(path).parts[:-1] for path in others]
    wrappers = _wrappers(
        list(rest.values()), [[name for name in parts if name not in words] for parts in beside]
    )
    for path, parts in rest.items():
        if len(parts) <= len(wrappers):
            raise AerialError(
                f"The image {path} in {root} lies in no class folder. Move it to "
                f"{'<split>/' if splits[path] else ''}<Class>/, or score unlabelled tiles with "
                "--pipeline=score_folder."
            )
    places = {path: (parts[len(wrappers)], splits[path]) for path, parts in rest.items()}
    layout = Layout(places, words, wrappers)
    if not words and all(set(_parts(name)) & _WORDS.keys() for name in layout.classes):
        raise AerialError(
            f"The folders {some(layout.classes)} in {root} are called like splits, and would be "
            "taken for classes. Call them train, test and validation, with the class folders in "
            "them; or rename the classes."
        )
    return layout


def check_class_names(root: str, classes: Iterable[str]) -> None:
    """Refuse classes whose names a person cannot tell apart.

    Parameters
    ----------
    root
        The folder, for the message.
    classes
        Names of the class folders.

    Raises
    ------
    AerialError
        If two differ in capitals, in blanks, hyphens and underscores, or in how a letter is
        encoded, and in nothing else.
    """
    by_plain: dict[str, str] = {}
    for name in sorted(classes):
        twin = by_plain.setdefault(_plain(name), name)
        if twin != name:
            raise AerialError(
                f"The class folders {_quoted(twin)} and {_quoted(name)} in {root} look like one "
                "class and would be two: they differ in capitals, blanks, hyphens, underscores or "
                "in how a letter is encoded. Rename one so that it reads differently, or move its "
                "files into the other."
            )


def _plain(name: str) -> str:
    """Write a name without what a reader does not see, or takes for the same."""
    text = unicodedata.normalize("NFKC", name).casefold().strip()
    text = "".join(each for each in text if unicodedata.category(each) != "Cf")
    # Between letters or digits only: classes may be called -1 and 1.
    return re.sub(r"(?<=[^\W_])[\s_-]+(?=[^\W_])", " ", text)


def _quoted(name: str) -> str:
    return repr(name) if name.isascii() else f"{name!r} ({name!a})"


def _split_words(names: Iterable[str]) -> dict[str, str]:
    """Find the folder names that are splits."""
    listed = sorted(names)
    strong = {name: split for name in listed if (split := _split_named(name, _WORDS))}
    if "train" not in strong.values():
        return strong
    weak = {name: split for name in listed if (split := _split_named(name, _WEAK_WORDS))}
    return strong | weak


def _split_named(name: str, words: Mapping[str, str]) -> str | None:
    """Split that a folder is called after.

    Examples
    --------
    >>> _split_named("Train_Set", _WORDS), _split_named("TestImages", _WORDS)
    ('train', 'test')
    >>> _split_named("val2017", _WORDS), _split_named("Training camp", _WORDS)
    ('validation', None)
    """
    parts = _parts(name)
    found = [words[part] for part in parts if part in words]
    others = {part for part in parts if part not in words}
    if not found:
        joined = re.fullmatch(rf"({'|'.join(words)})(set|data|images|tiles)", "".join(parts))
        return words[joined[1]] if joined else None
    return found[0] if others <= _FILLERS and len(set(found)) == 1 else None


def _parts(name: str) -> list[str]:
    """Divide a name into its words, in small letters and without numbers at their ends."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()
    return [re.sub(r"\d+$", "", part) for part in re.split(r"[\W_]+", spaced)]


def _split_of(path: str, parts: Sequence[str], words: Mapping[str, str], root: str) -> str | None:
    found = {words[name] for name in parts if name in words}
    if len(found) > 1:
        named = ", ".join(name for name in parts if name in words)
        raise AerialError(
            f"The image {path} in {root} lies in folders of two splits ({named}). Keep one of them."
        )
    return found.pop() if found else None


def _wrappers(folders: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Find the folders, from the root on, that hold all images, each in a further folder."""
    wrappers: list[str] = []
    while True:
        depth = len(wrappers)
        tops = {parts[depth] for parts in [*folders, *others] if len(parts) > depth}
        if len(tops) != 1 or any(len(parts) <= depth + 1 for parts in folders):
            return tuple(wrappers)
        wrappers += tops


def _tops(paths: Iterable[str]) -> list[str]:
    return sorted({PurePosixPath(path).parts[0] for path in paths})
