"""What computed embeddings of cells, made up: nothing but its card counts."""

from __future__ import annotations

from aerial_kedro.features.artifact import Backbone, BackboneCard, CellEmbedding
from aerial_kedro.features.source import EngineChoice, FeatureSource


def embedding(components: int = 3) -> CellEmbedding:
    return CellEmbedding(
        layers=("blocks.4", "conv_head"),
        channels=1392,
        scales=tuple(0.5 / 2**k for k in range(components)),
        explained=0.875,
        fitted_tiles=1000,
        fitted_on="sample",
        projection_sha256="b" * 64,
    )


def source_with_cells(components: int = 3) -> FeatureSource:
    return _source(embedding(components))


def source_without_cells() -> FeatureSource:
    return _source(None)


def _source(cells: CellEmbedding | None) -> FeatureSource:
    card = BackboneCard(
        name="efficientnet_lite0",
        architecture="timm/tf_efficientnet_lite0",
        weights_source="a package",
        weights_sha256="a" * 64,
        input_size=224,
        n_features=1792,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        opset=13,
        parity_cosine=1.0,
        onnx_sha256="c" * 64,
        cells=cells,
    )
    return FeatureSource(
        Backbone(b"", card), EngineChoice(engine="onnxruntime", precision="fp32")
    )
