"""Opening a backbone in an engine."""

from __future__ import annotations

from aerial_kedro.errors import AerialError
from aerial_kedro.features.engines.available import check_engine, is_plug_in, name_engines_for
from aerial_kedro.features.engines.interface import Engine


def open_engine(engine: str, precision: str, network: bytes) -> Engine:
    """Open a backbone in an engine, which is imported now.

    Parameters
    ----------
    engine, precision
        What runs it.
    network
        `aerial_kedro.features.artifact.Backbone.network_for` of that engine.

    Raises
    ------
    AerialError
        If the engine or precision cannot run here, runs in Java, or is still ``auto``.
    """
    check_engine(engine, precision)
    if engine == "onnxruntime":
        from aerial_kedro.features.engines.onnx_runtime import OnnxRuntimeEngine  # noqa: PLC0415

        return OnnxRuntimeEngine(network)
    if engine == "openvino":
        from aerial_kedro.features.engines.open_vino import OpenVinoEngine  # noqa: PLC0415

        return OpenVinoEngine(network, precision)
    if engine == "torch":
        from aerial_kedro.features.engines.pytorch import TorchEngine  # noqa: PLC0415

        return TorchEngine(network, precision)
    if is_plug_in(engine):
        raise AerialError(
            f"The engine {engine!r} runs in Spark's Java and nowhere else. Here can be run: "
            f"{name_engines_for(precision)}."
        )
    raise AerialError(f"The engine {engine!r} has to be chosen before it can be opened.")
