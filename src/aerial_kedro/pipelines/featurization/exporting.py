"""The node that exports the backbone, and what the run says of its preprocessing."""

import logging
from dataclasses import asdict, replace

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, BackboneCard, WeightsFile
from aerial_kedro.features.engines import AUTO, has_graphics_card
from aerial_kedro.features.grain import Grain
from aerial_kedro.features.known import PACKAGED, name_export
from aerial_kedro.features.known_weights import find_known

LOGGER = logging.getLogger(__name__)

_EXAMPLES = {
    "input_mean": "0.43/0.411/0.296",
    "input_std": "0.213/0.156/0.143",
    "input_size": "256",
}


def export_backbone(
    weights: WeightsFile,
    pooling: str,
    engine: str,
    tile_size_m: float,
    gsd_m: float | None,
    seed: int,
) -> Backbone:
    """Export the network with its preprocessing and prove it equal to torch, unless that is done.

    A node of its own, with nothing to wait for, so that a wrong file of weights is found before
    the tiles are laid.

    Parameters
    ----------
    weights
        Weights of the backbone, which they name, with the backbones that earlier runs left: taken
        where they are what this run would export.
    pooling, engine, tile_size_m, gsd_m
        The run parameters.
    seed
        Seed of the tiles that the proof is made on.
    """
    # On a processor torch is never the fastest; `engine=auto` measures it on a graphics card alone.
    with_program = engine == "torch" or (engine == AUTO and has_graphics_card())
    grain, known = Grain(tile_size_m, gsd_m), PACKAGED.get(weights.backbone)
    own = weights.request.size or (known.input_size if known else None)
    size = grain.choose_input(own)
    others = _asked_of_input(weights)
    name = name_export(
        weights.backbone, weights.sha256, pooling, None if size == own else size, others
    )
    for each in weights.stored:
        complete = each.program is not None or not with_program
        if each.card.precision == "fp32" and each.card.export == name and complete:
            LOGGER.info("The backbone %s is exported already", weights.backbone)
            _report_preprocessing(each.card)
            return each
    # torch takes seconds to import; runs that find their backbone exported never need it.
    if weights.is_finished:
        if engine == "torch":
            raise AerialError(
                "engine=torch runs no finished network (backbone_onnx). Use engine=onnxruntime or "
                "engine=openvino."
            )
        from aerial_kedro.features.finished import adopt_network  # noqa: PLC0415

        exported = adopt_network(weights, pooling, seed, grain)
    else:
        from aerial_kedro.features.export import export_backbone as export  # noqa: PLC0415
        from aerial_kedro.features.recognition import choose_preprocessing  # noqa: PLC0415
        from aerial_kedro.features.weights import read_weights  # noqa: PLC0415

        parsed, wanted = read_weights(weights), choose_preprocessing(weights)
        exported = export(
            wanted.definition,
            parsed,
            seed,
            pooling,
            with_program=with_program,
            grain=grain,
            preprocessing=wanted,
        )
    _report_preprocessing(exported.card)
    return replace(exported, card=exported.card.model_copy(update={"export": name}))


def _asked_of_input(weights: WeightsFile) -> dict[str, object]:
    """List what else than weights, network and packages an export depends on."""
    known = find_known(weights.hints, weights.sha256)
    found = {
        "hints": weights.hints,
        "asked": weights.request.given,
        "known": asdict(known) if known else {},
        "finished": weights.is_finished,
    }
    return {name: each for name, each in found.items() if each}


def _report_preprocessing(card: BackboneCard) -> None:
    """Say how the network gets its pixels, and warn of what is only assumed."""
    mean, std = ("/".join(f"{each:.3g}" for each in values) for values in (card.mean, card.std))
    LOGGER.info(
        "Input of %s: %d px, mean %s, deviation %s, %s; licence of the weights: %s",
        card.name,
        card.input_size,
        mean,
        std,
        card.preprocessing,
        card.licence or "not known",
    )
    if card.assumed:
        LOGGER.warning(
            "The preprocessing of %s is not known. It is assumed: mean %s, deviation %s, %d px. If "
            "the weights were trained otherwise, give %s, such as --params=%s.",
            card.weights_source,
            mean,
            std,
            card.input_size,
            ", ".join(card.assumed),
            ",".join(f"{name}={_EXAMPLES[name]}" for name in card.assumed),
        )
