"""Lists of scenes: the address of each, and what is known of it before it is read."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field, ValidationError, field_validator

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import AccessRules
from aerial_kedro.imagery.redaction import redact, unsigned
from aerial_kedro.imagery.search import SearchRequest
from aerial_kedro.parameters import CheckedModel, Year, describe_problems

_YEAR_DIGITS = 4
_SHOWN = 3
_METRES_PER_DEGREE = 111_320.0
_BANDS = 4  # as NAIP has; items do not state theirs


class ListedScene(CheckedModel):
    """A scene of a list.

    Parameters
    ----------
    href
        Address of the scene; never signed.
    item_id
        Name of the STAC item.
    year
        The year it was taken; None where it is to be read from the file.
    bbox
        ``west, south, east, north`` in degrees.
    epsg
        EPSG code of its CRS.
    gsd_m
        Ground sample distance in metres.
    """

    href: str = Field(min_length=1)
    item_id: str | None = None
    year: Year | None = None
    bbox: tuple[float, float, float, float] | None = None
    epsg: int | None = None
    gsd_m: float | None = Field(default=None, gt=0)

    @field_validator("href")
    @classmethod
    def _check_unsigned(cls, href: str) -> str:
        if unsigned(href) != href:
            raise ValueError("the address is signed; list it without its signature")
        return href


def same_scene(known: ListedScene, other: ListedScene) -> ListedScene | None:
    """Choose between two entries of one scene: the one with a year; None where years differ."""
    if other.year in (None, known.year):
        return known
    return other if known.year is None else None


class SceneList(CheckedModel):
    """Scenes to run the main job on; ``scenes_root`` may name the file that holds it.

    Parameters
    ----------
    scenes
        The scenes.
    request
        The search that found them, if one did.
    """

    scenes: tuple[ListedScene, ...]
    request: SearchRequest | None = None

    @property
    def by_year(self) -> dict[int | None, int]:
        """How many scenes each year has."""
        counts = Counter(scene.year for scene in self.scenes)
        return dict(sorted(counts.items(), key=lambda each: each[0] or 0))


def scenes_of_items(
    items: Iterable[Mapping[str, Any]], request: SearchRequest, rules: AccessRules
) -> SceneList:
    """Make a scene list from what a STAC API answered.

    Parameters
    ----------
    items
        STAC items as JSON.
    request
        The search.
    rules
        Which hosts scenes may be on.

    Returns
    -------
    SceneList
        Sorted by year and item, each scene once, no address signed.

    Raises
    ------
    AerialError
        If nothing was found, an item lacks the asset or its date, or an address may not be read.
    """
    scenes = {}
    for item in items:
        scene = _scene_of_item(item, request.asset)
        rules.check(scene.href)
        scenes[scene.href] = scene
    if not scenes:
        raise AerialError(
            f"No scene found: the collection {request.collection!r} of {request.api_url} has none "
            f"in acquisition.bbox={list(request.bbox or ())} for "
            f"{', '.join(map(str, request.years))}. Check the order (west, south, east, north) and "
            "the years; NAIP flies each state every two or three years."
        )
    ordered = sorted(scenes.values(), key=lambda each: (each.year, each.item_id, each.href))
    return SceneList(scenes=tuple(ordered), request=request)


def _scene_of_item(item: Mapping[str, Any], asset_name: str) -> ListedScene:
    name = item.get("id", "without id")
    properties = item.get("properties") or {}
    assets = item.get("assets") or {}
    asset = assets.get(asset_name)
    if not isinstance(asset, Mapping) or not asset.get("href"):
        raise AerialError(
            f"The item {name} has no asset {asset_name!r}; it has {', '.join(assets) or 'none'}. "
            "Name the one that holds the image with --params=acquisition.asset=…"
        )
    date = str(properties.get("datetime") or properties.get("start_datetime") or "")
    if not date[:_YEAR_DIGITS].isdigit():
        raise AerialError(f"The item {name} has no date at which it was taken (`datetime`).")
    box = item.get("bbox") or ()
    try:
        return ListedScene(
            href=unsigned(str(asset["href"])),
            item_id=str(name),
            year=int(date[:_YEAR_DIGITS]),
            bbox=(*box[:2], *box[len(box) // 2 :][:2]) if box else None,
            epsg=_epsg(asset, properties),
            gsd_m=asset.get("gsd") or properties.get("gsd"),
        )
    except ValidationError as error:
        problems = redact("; ".join(describe_problems(error)))
        raise AerialError(f"The item {name} cannot be used: {problems}.") from None
    except ValueError as error:
        raise AerialError(f"The item {name} cannot be used: {redact(error)}") from None


def _epsg(*sources: Mapping[str, Any]) -> int | None:
    """Read the projection extension, before its version 2 (``proj:epsg``) and after."""
    for source in sources:
        code = source.get("proj:epsg") or str(source.get("proj:code") or "").removeprefix("EPSG:")
        if str(code).isdigit():
            return int(code)
    return None


def estimate_bytes(scenes: Iterable[ListedScene]) -> int | None:
    """Estimate how many bytes the scenes' pixels are, uncompressed, from their size on the ground.

    None if the place or the ground sample distance of a scene is not known.
    """
    total = 0.0
    for scene in scenes:
        if scene.bbox is None or scene.gsd_m is None:
            return None
        west, south, east, north = scene.bbox
        width = (east - west) * _METRES_PER_DEGREE * math.cos(math.radians((south + north) / 2))
        total += width * (north - south) * _METRES_PER_DEGREE / scene.gsd_m**2 * _BANDS
    return round(total)


def parse_scene_list(content: bytes, name: str) -> SceneList:
    """Read a scene list in JSON, as the pipeline `acquisition` writes it.

    Raises
    ------
    AerialError
        Naming the file and what is wrong with it.
    """
    try:
        return SceneList.model_validate_json(content)
    except ValidationError as error:
        problems = describe_problems(error)
        shown = "; ".join(problems[:_SHOWN]) + (" …" if len(problems) > _SHOWN else "")
        raise AerialError(
            f"scenes_root={name} is no scene list: {redact(shown)}. Make one with `kedro run "
            "--pipeline=acquisition`, or write a CSV with the columns href and year."
        ) from None
