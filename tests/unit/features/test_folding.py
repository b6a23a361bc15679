import onnx
import pytest

from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.export import fold_shapes


def test_the_export_computes_no_shapes(lite0: Backbone) -> None:
    model = onnx.load_from_string(lite0.onnx)
    kinds = {node.op_type for node in model.graph.node}
    assert kinds.isdisjoint({"Shape", "Gather", "Pad", "ConstantOfShape", "Ceil"})
    assert "Conv" in kinds


def test_the_file_stays_one_of_its_opset_alone(lite0: Backbone) -> None:
    model = onnx.load_from_string(lite0.onnx)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 13)]
    onnx.checker.check_model(model, full_check=True)


def test_folding_again_changes_nothing(lite0: Backbone) -> None:
    once, twice = (
        onnx.load_from_string(each).graph for each in (lite0.onnx, fold_shapes(lite0.onnx))
    )
    assert [node.op_type for node in once.node] == [node.op_type for node in twice.node]
    assert once.input == twice.input
    assert once.output == twice.output


def test_nonsense_is_an_error() -> None:
    with pytest.raises(Exception, match=r"(?i)pars|decod"):
        fold_shapes(b"no network")
