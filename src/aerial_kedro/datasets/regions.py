"""Polygon layers of regions, such as counties."""

from aerial_kedro.datasets.vectors import VectorFileDataset
from aerial_kedro.splits.regions import RegionLayer


class RegionLayerDataset(VectorFileDataset[RegionLayer]):
    """A vector file with one layer of polygons; without a path an empty `RegionLayer`.

    Options are those of `VectorFileDataset`.
    """

    not_saved = "Layers of regions are read, never written."
    parameter = "regions_path"
    wanted = "a polygon layer (GeoPackage, GeoJSON, zipped shapefile or GeoParquet)"

    def load(self) -> RegionLayer:
        """Read the features, as the file has them.

        Raises
        ------
        AerialError
            If the file is not there, is no layer, has no geometries, or has several layers.
        """
        if not self._path:
            return RegionLayer()
        return RegionLayer(self._path, self.read_file(self.read_layer))
