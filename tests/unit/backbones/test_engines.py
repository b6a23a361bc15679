import pytest

from aerial_kedro.backbones.engines import AVAILABLE, check_engine, open_engine
from aerial_kedro.errors import AerialError


def test_every_engine_that_is_offered_is_accepted() -> None:
    for engine, precisions in AVAILABLE.items():
        for precision in precisions:
            check_engine(engine, precision)


@pytest.mark.parametrize(("engine", "precision"), [("abacus", "fp32"), ("onnxruntime", "fp7")])
def test_others_are_refused_with_what_there_is(engine: str, precision: str) -> None:
    for use in (check_engine, lambda *names: open_engine(*names, b"")):
        with pytest.raises(
            AerialError, match=rf"'{engine}' with precision '{precision}' .*onnxruntime: fp32"
        ):
            use(engine, precision)
