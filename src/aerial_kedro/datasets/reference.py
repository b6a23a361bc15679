"""Maps of known truth, if there are any: what an estimate of change is judged by."""

from __future__ import annotations

from typing import Any

import fsspec

from aerial_kedro.datasets.listing import list_folder
from aerial_kedro.datasets.scenes import TIFF, LandCoverDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.land_cover import LandCoverRaster

_REMEDY = "Give a folder of land-cover rasters of known truth, one a year, or null for none."


class ReferenceMapsDataset(LandCoverDataset):
    """A folder of land-cover rasters that are known to be true; loads as their headers.

    Parameters
    ----------
    path
        The folder (or one GeoTIFF); None for no reference.
    sample
        Where the embedded sample's truth is. It need not be drawn: if ``path`` is this folder and
        it is missing, there is no reference.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str | None,
        sample: str | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(path=path or "", credentials=credentials, metadata=metadata)
        self._sample = sample

    def load(self) -> list[LandCoverRaster]:
        """Read the headers; an empty list where there is no reference.

        Raises
        ------
        AerialError
            If the folder does not exist or holds no GeoTIFF.
        """
        if not self._path or self._is_undrawn_sample():
            return []
        files = list_folder(self._path, "reference_root", _REMEDY, self._credentials)
        files = [file for file in files if file.path.lower().endswith(TIFF)]
        if not files:
            raise AerialError(
                f"reference_root={self._path} is no GeoTIFF and holds none. {_REMEDY}"
            )
        return [self._read(file) for file in files]

    def _is_undrawn_sample(self) -> bool:
        if self._path != self._sample:
            return False
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        return not filesystem.exists(base)
