"""Maps of tiles: what each cell shows, smoothed or not, drawn as rasters and polygons."""
