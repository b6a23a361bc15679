"""The template of storage and cluster, as far as it can be looked at without an account."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
import referencing.jsonschema

PROJECT = Path(__file__).parents[2]
INFRA = PROJECT / "infra"
NODE = INFRA / "node.sh"
SCHEMAS = os.environ.get("AZURE_RESOURCE_MANAGER_SCHEMAS")
DATA_ROLES = {
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8df0-a410df84e63d": "Storage Blob Data Reader",
}
HEADER = {
    "DRIVER_ADDRESS": "10.17.0.4",
    "STORAGE_ACCOUNT": "someaccount",
    "CLUSTER_USER": "aerial",
    "SPARK_SECRET": "0123456789abcdef" * 2,
    "ROLE": "driver",
}
TEMPLATE: dict[str, Any] = json.loads((INFRA / "template.json").read_text(encoding="utf-8"))
PARAMETERS, VARIABLES = TEMPLATE["parameters"], TEMPLATE["variables"]


def resources(kind: str) -> list[dict[str, Any]]:
    return [each for each in TEMPLATE["resources"] if each["type"] == kind]


def the(kind: str) -> dict[str, Any]:
    (only,) = resources(kind)
    return only["properties"] | {"name": only["name"]}


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text below a value, keys included, with the way to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield f"{path}/{key}", key
            yield from texts(each, f"{path}/{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from texts(each, f"{path}/{number}")


def expressions(value: Any) -> list[str]:
    return [text for _, text in texts(value) if text.startswith("[") and text.endswith("]")]


class TestParameters:
    def test_no_secret_has_a_default_and_each_is_secure(self) -> None:
        secrets = {
            name
            for name in PARAMETERS
            if re.search(r"(?i)secret|passw|token|private|credential", name)
        } | {name for name, each in PARAMETERS.items() if each["type"].lower().startswith("secure")}
        assert secrets == {"sparkSecret"}
        for name in secrets:
            assert PARAMETERS[name]["type"] == "securestring"
            assert "defaultValue" not in PARAMETERS[name]
            assert PARAMETERS[name]["minLength"] >= 32

    def test_the_secret_goes_where_it_is_kept_and_nowhere_else(self) -> None:
        """Protected settings are encrypted; variables are not part of what Azure shows."""
        carriers = {"parameters('sparkSecret')", "variables('header')"}
        places = [
            path for path, text in texts(TEMPLATE) if any(carrier in text for carrier in carriers)
        ]
        assert len(places) == 3
        assert sum(path == "/variables/header" for path in places) == 1
        assert sum(path.endswith("/protectedSettings/script") for path in places) == 2

    def test_all_are_described_declared_and_used(self) -> None:
        assert all(each["metadata"]["description"] for each in PARAMETERS.values())
        for kind, declared in (("parameters", PARAMETERS), ("variables", VARIABLES)):
            used = {
                name
                for _, text in texts(TEMPLATE)
                for name in re.findall(rf"{kind}\('([^']+)'\)", text)
            }
            assert used == set(declared)

    def test_are_small_by_default(self) -> None:
        assert PARAMETERS["workerCount"]["defaultValue"] == 2
        assert re.fullmatch(r"Standard_D4\w*", PARAMETERS["workerSize"]["defaultValue"])
        assert PARAMETERS["spotWorkers"]["defaultValue"] is False

    @pytest.mark.parametrize("path", INFRA.glob("*.parameters.json"), ids=lambda path: path.name)
    def test_of_an_example_are_the_template_s(self, path: Path) -> None:
        given = json.loads(path.read_text(encoding="utf-8"))["parameters"]
        kinds = {"int": int, "string": str, "bool": bool, "array": list}
        for name, each in given.items():
            declared = PARAMETERS[name]
            assert declared["type"] != "securestring"
            assert type(each["value"]) is kinds[declared["type"]]
            if declared["type"] == "int":
                least, most = declared.get("minValue", 0), declared.get("maxValue", 10**9)
                assert least <= each["value"] <= most

    def test_the_original_s_size_is_an_example(self) -> None:
        path = INFRA / "forty-workers.parameters.json"
        given = json.loads(path.read_text(encoding="utf-8"))["parameters"]
        assert given["workerCount"]["value"] == 40
        assert {"workerSize", "budgetAmount"} <= set(given)


class TestStorage:
    def test_is_closed_to_the_public(self) -> None:
        account = the("Microsoft.Storage/storageAccounts")
        assert account["allowBlobPublicAccess"] is False
        assert account["allowSharedKeyAccess"] is False
        assert account["supportsHttpsTrafficOnly"] is True
        assert account["minimumTlsVersion"] in {"TLS1_2", "TLS1_3"}
        assert account["networkAcls"]["defaultAction"] == "Deny"
        assert [each["value"] for each in account["networkAcls"]["ipRules"]] == [
            "[parameters('operatorAddress')]"
        ]

    def test_containers_are_private(self) -> None:
        containers = the("Microsoft.Storage/storageAccounts/blobServices/containers")
        assert containers["publicAccess"] == "None"
        assert "variables('containers')[copyIndex()]" in containers["name"]


class TestAccess:
    def test_no_role_is_wider_than_data_of_one_container(self) -> None:
        for name, role in VARIABLES["roles"].items():
            assert DATA_ROLES[role] == name
        for grant in VARIABLES["grants"]:
            assert grant["container"] in VARIABLES["containers"]
            assert grant["role"] in VARIABLES["roles"]
            assert grant["identity"] in VARIABLES["identities"]
        for each in resources("Microsoft.Authorization/roleAssignments"):
            assert "/blobServices/default/containers/" in each["scope"]
            assert "variables('roles')[" in each["properties"]["roleDefinitionId"]

    def test_workers_reach_the_data_alone(self) -> None:
        reached = {
            each["container"] for each in VARIABLES["grants"] if "workers" in each["identity"]
        }
        assert reached == {"naip"}

    def test_machines_have_one_identity_each_and_no_password(self) -> None:
        """With two, or one of the system's, none of the libraries would know which to take."""
        machines = ("virtualMachines", "virtualMachineScaleSets")
        for kind in machines:
            (machine,) = resources(f"Microsoft.Compute/{kind}")
            assert machine["identity"]["type"] == "UserAssigned"
            assert len(machine["identity"]["userAssignedIdentities"]) == 1
            profile = machine["properties"].get("virtualMachineProfile", machine["properties"])
            assert profile["osProfile"]["linuxConfiguration"] == "[variables('sshOnly')]"
            assert "adminPassword" not in profile["osProfile"]
        assert VARIABLES["sshOnly"]["disablePasswordAuthentication"] is True

    def test_the_driver_answers_one_address_on_one_port(self) -> None:
        (rule,) = the("Microsoft.Network/networkSecurityGroups")["securityRules"]
        assert rule["properties"]["sourceAddressPrefix"] == "[parameters('operatorAddress')]"
        assert rule["properties"]["destinationPortRange"] == "22"
        scale_set = the("Microsoft.Compute/virtualMachineScaleSets")
        assert "publicIPAddress" not in json.dumps(scale_set)


class TestCost:
    def test_idle_workers_are_stopped(self) -> None:
        setting = the("Microsoft.Insights/autoscalesettings")
        (profile,) = setting["profiles"]
        assert setting["enabled"] is True
        # Without workers there are no metrics, and the default would bring workers back.
        assert profile["capacity"]["minimum"] == profile["capacity"]["default"] == "0"
        (rule,) = profile["rules"]
        assert rule["scaleAction"]["type"] == "ExactCount"
        assert rule["scaleAction"]["value"] == "0"
        assert "parameters('idleMinutes')" in rule["metricTrigger"]["timeWindow"]
        assert PARAMETERS["idleMinutes"]["defaultValue"] <= 60

    def test_the_driver_is_stopped_every_day(self) -> None:
        schedule = the("Microsoft.DevTestLab/schedules")
        (machine,) = resources("Microsoft.Compute/virtualMachines")
        assert schedule["status"] == "Enabled"
        assert schedule["taskType"] == "ComputeVmShutdownTask"
        # Azure takes no other name.
        assert schedule["name"] == f"shutdown-computevm-{machine['name']}"

    def test_a_budget_warns(self) -> None:
        budget = the("Microsoft.Consumption/budgets")
        assert budget["amount"] == "[parameters('budgetAmount')]"
        assert budget["timeGrain"] == "Monthly"
        for each in budget["notifications"].values():
            assert each["enabled"] is True
            assert each["contactEmails"] == "[parameters('budgetEmails')]"
        assert "defaultValue" not in PARAMETERS["budgetEmails"]

    def test_count_and_size_of_workers_are_parameters(self) -> None:
        (scale_set,) = resources("Microsoft.Compute/virtualMachineScaleSets")
        assert scale_set["sku"]["capacity"] == "[parameters('workerCount')]"
        assert scale_set["sku"]["name"] == "[parameters('workerSize')]"


class TestTemplate:
    def test_expressions_are_closed(self) -> None:
        for text in expressions(TEMPLATE):
            bare = re.sub(r"'(?:[^']|'')*'", "''", text)
            for one, other in ("()", "[]"):
                assert bare.count(one) == bare.count(other), text

    def test_refers_to_nothing_that_it_does_not_make(self) -> None:
        copies = {each["copy"]["name"] for each in TEMPLATE["resources"] if "copy" in each}
        made = {each["type"].lower() for each in TEMPLATE["resources"]} | {
            "microsoft.network/virtualnetworks/subnets",
            "microsoft.authorization/roledefinitions",
        }
        for text in expressions(TEMPLATE):
            for kind in re.findall(r"[rR]esourceId\('([^']+)'", text):
                assert kind.lower() in made, text
        for each in TEMPLATE["resources"]:
            plain = {name for name in each.get("dependsOn", []) if not name.startswith("[")}
            assert plain <= copies

    def test_script_is_told_all_that_it_asks_for(self) -> None:
        told = set(re.findall(r"\n([A-Z_]+)=", VARIABLES["header"])) | {"ROLE"}
        script = NODE.read_text(encoding="utf-8")
        own = set(re.findall(r"^([A-Z_]+)=", script, re.MULTILINE))
        asked = set(re.findall(r"\$\{([A-Z_]+)\}", script))
        assert asked - own == told == set(HEADER)

    @pytest.mark.skipif(
        not SCHEMAS, reason="AZURE_RESOURCE_MANAGER_SCHEMAS names no clone of Azure's schemas"
    )
    @pytest.mark.parametrize("resource", TEMPLATE["resources"], ids=lambda each: each["type"])
    def test_resources_follow_azure_s_schemas(self, resource: dict[str, Any]) -> None:
        registry = referencing.Registry(retrieve=retrieve)  # type: ignore[call-arg]
        validator = jsonschema.Draft4Validator({"$ref": definition(resource)}, registry=registry)
        # A name that is an expression is longer than the name that comes of it.
        errors = [
            each
            for each in validator.iter_errors(resource)
            if list(each.absolute_path) != ["name"] or not resource["name"].startswith("[")
        ]
        best = [jsonschema.exceptions.best_match([each]) for each in errors]
        assert not [f"{list(each.absolute_path)}: {each.message}" for each in best if each]


def read_schema(name: str) -> dict[str, Any]:
    path = Path(str(SCHEMAS)) / "schemas" / name
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return content


def retrieve(address: str) -> referencing.Resource[Any]:
    """Read one of Azure's schemas from the clone instead of the web."""
    name = address.split("/schemas/", 1)[1].rstrip("#")
    return referencing.Resource(read_schema(name), referencing.jsonschema.DRAFT4)


def definition(resource: dict[str, Any]) -> str:
    """Find the address of a resource's schema."""
    kind, version = resource["type"].lower(), resource["apiVersion"]
    folder = Path(str(SCHEMAS)) / "schemas" / version
    for path in sorted(folder.glob(f"{resource['type'].split('/', 1)[0]}*.json")):
        content = read_schema(f"{version}/{path.name}")
        for group in ("", "resourceGroup_", "unknown_", "extension_"):
            for name, each in content.get(f"{group}resourceDefinitions", {}).items():
                if each["properties"]["type"]["enum"][0].lower() == kind:
                    return f"{content['id']}/{group}resourceDefinitions/{name}"
    raise LookupError(f"{resource['type']} of {version}")
