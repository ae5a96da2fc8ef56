"""What the official Python client must get from an API server: ours and a real one give the same answers."""

import gc
import json
from collections.abc import Iterator
from itertools import count

import pytest
from kubernetes import client, config, dynamic, stream, watch
from kubernetes.client import ApiException

from .worlds import NODE, World

NAMESPACE = "claude-deployment-prod"
DEPLOYMENT = "claude-deployment-api"
LABEL = f"app={DEPLOYMENT}"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
_numbers = count(1)


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(world.kubeconfig)) as made:
        yield made


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture
def apps(api: client.ApiClient) -> client.AppsV1Api:
    return client.AppsV1Api(api)


@pytest.fixture
def pod(core: client.CoreV1Api) -> str:
    """The name of a pod that serves and is not about to go."""
    pods = core.list_namespaced_pod(NAMESPACE, label_selector=LABEL).items
    return next(each.metadata.name for each in pods if serves(each))


@pytest.fixture
def settings(core: client.CoreV1Api) -> Iterator[client.V1ConfigMap]:
    """A ConfigMap of its own for each test."""
    name = f"settings-{next(_numbers)}"
    body = {"metadata": {"name": name, "labels": {"of": "tests"}}, "data": {"a": "1", "b": "2"}}
    yield core.create_namespaced_config_map(NAMESPACE, body)
    core.delete_collection_namespaced_config_map(NAMESPACE, field_selector=f"metadata.name={name}")


def serves(pod: client.V1Pod) -> bool:
    states = pod.status.container_statuses or []
    return pod.metadata.deletion_timestamp is None and bool(states) and all(each.ready for each in states)


def status_of(refused: pytest.ExceptionInfo[ApiException]) -> tuple[int, str]:
    """Return the HTTP status of a refusal and the `reason` in its body."""
    return refused.value.status, json.loads(refused.value.body)["reason"]


# --- reading


def test_a_typed_list_has_the_fixtures_pods(core) -> None:
    pods = core.list_namespaced_pod(NAMESPACE, label_selector=LABEL)
    assert pods.metadata.resource_version.isdigit()
    assert sum(serves(pod) for pod in pods.items) >= 3


def test_a_raw_list_is_the_same_as_json(core) -> None:
    raw = core.list_namespaced_pod(NAMESPACE, label_selector=LABEL, _preload_content=False)
    body = json.loads(raw.data)
    assert (body["kind"], body["apiVersion"]) == ("PodList", "v1")
    assert all(item["spec"]["nodeName"] == NODE for item in body["items"])
    assert all("kind" not in item for item in body["items"])


def test_a_list_in_pages_gives_every_object_once(core) -> None:
    names = [core.create_namespaced_config_map(NAMESPACE, named("paged-")).metadata.name for _ in range(5)]
    seen, token = [], None
    while token != "":
        page = core.list_namespaced_config_map(NAMESPACE, label_selector="of=pages", limit=2, _continue=token)
        seen += [each.metadata.name for each in page.items]
        token = page.metadata._continue or ""
    assert sorted(seen) == sorted(names)
    core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="of=pages")


def test_a_node_is_ready_and_has_no_taint(core) -> None:
    node = core.read_node(NODE)
    assert {each.type: each.status for each in node.status.conditions}["Ready"] == "True"
    assert not node.spec.taints


def test_the_deployments_status_has_seen_its_spec(apps) -> None:
    deployment = apps.read_namespaced_deployment(DEPLOYMENT, NAMESPACE)
    assert deployment.status.observed_generation == deployment.metadata.generation
    assert deployment.metadata.annotations["deployment.kubernetes.io/revision"].isdigit()


def test_pods_belong_to_a_replica_set_and_that_to_the_deployment(core, apps, pod) -> None:
    owner = core.read_namespaced_pod(pod, NAMESPACE).metadata.owner_references[0]
    above = apps.read_namespaced_replica_set(owner.name, NAMESPACE).metadata.owner_references[0]
    assert (owner.kind, above.kind, above.name) == ("ReplicaSet", "Deployment", DEPLOYMENT)


def test_field_and_label_selectors_narrow_a_list(core) -> None:
    chosen = core.list_pod_for_all_namespaces(label_selector=LABEL, field_selector=f"spec.nodeName={NODE}")
    nothing = core.list_pod_for_all_namespaces(label_selector=LABEL, field_selector="spec.nodeName=elsewhere")
    assert chosen.items
    assert not nothing.items


def test_an_unknown_field_selector_is_a_bad_request(core) -> None:
    with pytest.raises(ApiException) as refused:
        core.list_namespaced_pod(NAMESPACE, field_selector="spec.colour=red")
    assert status_of(refused) == (400, "BadRequest")


def test_what_is_not_there_is_404(core) -> None:
    with pytest.raises(ApiException) as refused:
        core.read_namespaced_config_map("nothing-here", NAMESPACE)
    assert status_of(refused) == (404, "NotFound")


def test_without_a_credential_it_is_401(world, tmp_path) -> None:
    configuration = client.Configuration()
    config.load_kube_config(str(world.kubeconfig), client_configuration=configuration)
    configuration.cert_file = configuration.key_file = None
    configuration.refresh_api_key_hook = None  # which would read the owner's token again
    configuration.api_key = {"authorization": "Bearer nobodys"}
    with client.ApiClient(configuration) as stranger, pytest.raises(ApiException) as refused:
        client.CoreV1Api(stranger).list_namespaced_pod(NAMESPACE)
    assert status_of(refused) == (401, "Unauthorized")


def test_the_version_is_said(api) -> None:
    said = client.VersionApi(api).get_code()
    assert (said.major, said.git_version.startswith("v1.")) == ("1", True)


# --- creating and deleting


def named(prefix: str) -> dict:
    return {"metadata": {"generateName": prefix, "labels": {"of": "pages"}}}


def test_a_generated_name_begins_as_asked(core) -> None:
    made = core.create_namespaced_config_map(NAMESPACE, {"metadata": {"generateName": "begins-"}})
    assert made.metadata.name.startswith("begins-")
    assert len(made.metadata.name) == len("begins-") + 5
    core.delete_namespaced_config_map(made.metadata.name, NAMESPACE)


def test_the_same_name_twice_is_409(core, settings) -> None:
    with pytest.raises(ApiException) as refused:
        core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": settings.metadata.name}})
    assert status_of(refused) == (409, "AlreadyExists")


def test_a_dry_run_creates_nothing(core) -> None:
    core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "only-tried"}}, dry_run="All")
    with pytest.raises(ApiException) as refused:
        core.read_namespaced_config_map("only-tried", NAMESPACE)
    assert refused.value.status == 404


def test_an_unknown_field_is_refused_where_it_is_strict(core, settings) -> None:
    body = {"dta": {"a": "b"}}
    with pytest.raises(ApiException) as refused:
        core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, body, field_validation="Strict")
    assert status_of(refused) == (422, "Invalid")
    assert 'unknown field \\"dta\\"' in refused.value.body


def test_deleting_with_another_uid_is_409(core, settings) -> None:
    other = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="0f0f0f0f-0000-4000-8000-000000000000"))
    with pytest.raises(ApiException) as refused:
        core.delete_namespaced_config_map(settings.metadata.name, NAMESPACE, body=other)
    assert status_of(refused) == (409, "Conflict")


def test_deleting_what_is_gone_is_404(core, settings) -> None:
    core.delete_namespaced_config_map(settings.metadata.name, NAMESPACE)
    with pytest.raises(ApiException) as refused:
        core.delete_namespaced_config_map(settings.metadata.name, NAMESPACE)
    assert status_of(refused) == (404, "NotFound")


# --- changing


def test_put_moves_the_resource_version(core, settings) -> None:
    body = settings.to_dict() | {"data": {"c": "3"}}
    changed = core.replace_namespaced_config_map(settings.metadata.name, NAMESPACE, body)
    assert changed.data == {"c": "3"}
    assert changed.metadata.resource_version != settings.metadata.resource_version
    assert changed.metadata.uid == settings.metadata.uid


def test_put_of_the_same_moves_nothing(core, settings) -> None:
    same = core.replace_namespaced_config_map(settings.metadata.name, NAMESPACE, settings.to_dict())
    assert same.metadata.resource_version == settings.metadata.resource_version


def test_put_with_a_stale_resource_version_is_409(core, settings) -> None:
    core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, {"data": {"a": "9"}})
    with pytest.raises(ApiException) as refused:
        core.replace_namespaced_config_map(settings.metadata.name, NAMESPACE, settings.to_dict())
    assert status_of(refused) == (409, "Conflict")


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_merge_patch_sets_and_removes_keys(core, settings, kind) -> None:
    body = {"data": {"a": None, "c": "3"}}
    changed = core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, body, _content_type=kind)
    assert changed.data == {"b": "2", "c": "3"}


def test_a_json_patch_tests_before_it_changes(core, settings) -> None:
    body = [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "replace", "path": "/data/a", "value": "5"}]
    changed = core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, body, _content_type=JSON)
    assert changed.data["a"] == "5"


def test_a_json_patch_whose_test_fails_is_422(core, settings) -> None:
    body = [{"op": "test", "path": "/data/a", "value": "7"}]
    with pytest.raises(ApiException) as refused:
        core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, body, _content_type=JSON)
    assert status_of(refused) == (422, "Invalid")


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_patch_with_a_stale_resource_version_is_409(core, settings, kind) -> None:
    core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, {"data": {"a": "9"}})
    body = {"metadata": {"resourceVersion": settings.metadata.resource_version}, "data": {"a": "8"}}
    with pytest.raises(ApiException) as refused:
        core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, body, _content_type=kind)
    assert status_of(refused) == (409, "Conflict")


def test_a_json_patch_that_replaces_a_stale_resource_version_is_409(core, settings) -> None:
    core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, {"data": {"a": "9"}})
    stale = settings.metadata.resource_version
    body = [{"op": "replace", "path": "/metadata/resourceVersion", "value": stale}]
    body += [{"op": "replace", "path": "/data/a", "value": "8"}]
    with pytest.raises(ApiException) as refused:
        core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, body, _content_type=JSON)
    assert status_of(refused) == (409, "Conflict")


def test_a_patch_with_another_uid_is_422(core, settings) -> None:
    body = {"metadata": {"uid": "0f0f0f0f-0000-4000-8000-000000000000"}, "data": {"a": "8"}}
    with pytest.raises(ApiException) as refused:
        core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, body, _content_type=MERGE)
    assert status_of(refused) == (422, "Invalid")


def test_a_patch_with_both_right_and_a_dry_run_answers_and_changes_nothing(core, settings) -> None:
    meant = {"uid": settings.metadata.uid, "resourceVersion": settings.metadata.resource_version}
    body = {"metadata": meant, "data": {"a": "8"}}
    tried = core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, body, dry_run="All")
    assert tried.data["a"] == "8"
    assert core.read_namespaced_config_map(settings.metadata.name, NAMESPACE).data["a"] == "1"


def test_an_unknown_patch_kind_is_415(core, settings) -> None:
    with pytest.raises(ApiException) as refused:
        core.patch_namespaced_config_map(settings.metadata.name, NAMESPACE, {}, _content_type="application/json")
    assert refused.value.status == 415


def test_a_strategic_patch_merges_containers_by_name(apps) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "api", "env": [{"name": "X", "value": "1"}]}]}}}}
    tried = apps.patch_namespaced_deployment(DEPLOYMENT, NAMESPACE, body, dry_run="All", _content_type=STRATEGIC)
    (container,) = tried.spec.template.spec.containers
    assert container.image
    assert "X" in {each.name for each in container.env}


def test_a_spec_that_cannot_be_is_422_and_names_the_field(apps) -> None:
    with pytest.raises(ApiException) as refused:
        apps.patch_namespaced_deployment(DEPLOYMENT, NAMESPACE, {"spec": {"replicas": -1}}, _content_type=MERGE)
    assert status_of(refused) == (422, "Invalid")
    assert json.loads(refused.value.body)["details"]["causes"][0]["field"] == "spec.replicas"


@pytest.mark.parametrize(
    ("body", "moves"),
    [
        pytest.param({"metadata": {"labels": {"noted": "1"}}}, 0, id="label"),
        pytest.param({"metadata": {"annotations": {"noted": "1"}}}, 1, id="annotation"),
        pytest.param({"spec": {"minReadySeconds": 1}}, 1, id="spec"),
    ],
)
def test_a_deployments_generation_moves_with_spec_and_annotations(apps, body, moves) -> None:
    before = apps.read_namespaced_deployment(DEPLOYMENT, NAMESPACE).metadata.generation
    tried = apps.patch_namespaced_deployment(DEPLOYMENT, NAMESPACE, body, dry_run="All")
    assert tried.metadata.generation == before + moves


def test_server_side_apply_creates_and_then_conflicts_with_another_manager(core) -> None:
    def apply(manager: str, value: str, **more: bool) -> client.V1ConfigMap:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": value}}
        return core.patch_namespaced_config_map(
            "applied", NAMESPACE, body, field_manager=manager, _content_type=APPLY, **more
        )

    assert apply("first", "1").metadata.managed_fields[0].operation == "Apply"
    with pytest.raises(ApiException) as refused:
        apply("second", "2")
    assert status_of(refused) == (409, "Conflict")
    assert apply("second", "2", force=True).data == {"a": "2"}
    core.delete_namespaced_config_map("applied", NAMESPACE)


def test_the_scale_is_read_and_patched_apart(apps) -> None:
    scale = apps.read_namespaced_deployment_scale(DEPLOYMENT, NAMESPACE)
    assert (scale.kind, scale.spec.replicas, scale.status.selector) == ("Scale", 3, LABEL)
    tried = apps.patch_namespaced_deployment_scale(DEPLOYMENT, NAMESPACE, {"spec": {"replicas": 4}}, dry_run="All")
    assert tried.spec.replicas == 4


def test_the_status_is_written_apart_from_the_spec(apps) -> None:
    body = {"spec": {"replicas": 9}, "status": {"readyReplicas": 3}}
    tried = apps.patch_namespaced_deployment_status(DEPLOYMENT, NAMESPACE, body, dry_run="All", _content_type=MERGE)
    assert tried.spec.replicas == 3


# --- watching


def test_a_watch_tells_what_happens_after_a_list(core) -> None:
    since = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "watched"}})
    core.patch_namespaced_config_map("watched", NAMESPACE, {"data": {"a": "1"}})
    core.delete_namespaced_config_map("watched", NAMESPACE)
    told = watch.Watch().stream(
        core.list_namespaced_config_map, NAMESPACE, resource_version=since, timeout_seconds=2,
        field_selector="metadata.name=watched",
    )  # fmt: skip
    assert [each["type"] for each in told] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_from_too_far_in_the_future_or_past_says_so_or_waits(core) -> None:
    told = watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, resource_version="0", timeout_seconds=1)
    assert {each["type"] for each in told} == {"ADDED"}


# --- logs, exec, events, the dynamic client


def test_logs_are_the_bytes_that_the_container_wrote(core, pod) -> None:
    raw = core.read_namespaced_pod_log(pod, NAMESPACE, tail_lines=5, _preload_content=False)
    assert raw.status == 200
    assert 0 < len(raw.data.splitlines()) <= 5


def test_a_log_of_one_json_line_stays_json(core, world) -> None:
    container = {"name": "one", "image": world.names["shell"], "args": ["-c", 'echo \'{"level":"info","n":1}\'']}
    body = {"metadata": {"name": "json-line"}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    core.create_namespaced_pod(NAMESPACE, body)
    ended(core, "json-line")
    raw = core.read_namespaced_pod_log("json-line", NAMESPACE, _preload_content=False)
    assert json.loads(raw.data) == {"level": "info", "n": 1}
    core.delete_namespaced_pod("json-line", NAMESPACE, grace_period_seconds=0)


def ended(core: client.CoreV1Api, name: str) -> None:
    told = watch.Watch()
    for each in told.stream(
        core.list_namespaced_pod, NAMESPACE, field_selector=f"metadata.name={name}", timeout_seconds=20
    ):
        if each["object"].status.phase == "Succeeded":
            told.stop()
    assert core.read_namespaced_pod(name, NAMESPACE).status.phase == "Succeeded"


def test_logs_of_an_unknown_container_are_a_bad_request(core, pod) -> None:
    with pytest.raises(ApiException) as refused:
        core.read_namespaced_pod_log(pod, NAMESPACE, container="nothing")
    assert refused.value.status == 400


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl:pytest.PytestUnraisableExceptionWarning")
def test_exec_returns_what_the_command_said(core, pod) -> None:
    said = stream.stream(
        core.connect_get_namespaced_pod_exec, pod, NAMESPACE, command=["sh", "-c", "echo it says $((40 + 2))"],
        stdout=True, stderr=True, stdin=False, tty=False,
    )  # fmt: skip
    assert said == "it says 42\n"
    gc.collect()  # the client leaves its socket open: the warning of that shall be this test's


def test_exec_tells_the_exit_code(core, pod) -> None:
    channel = stream.stream(
        core.connect_get_namespaced_pod_exec, pod, NAMESPACE, command=["sh", "-c", "echo no >&2; exit 3"],
        stdout=True, stderr=True, stdin=False, tty=False, _preload_content=False,
    )  # fmt: skip
    channel.run_forever(timeout=10)
    channel.sock.shutdown()  # its own `close` does nothing once the server has closed
    assert channel.read_stderr() == "no\n"
    assert channel.returncode == 3


def test_events_tell_of_the_rollout(core) -> None:
    events = core.list_namespaced_event(NAMESPACE, field_selector=f"involvedObject.name={DEPLOYMENT}").items
    assert "ScalingReplicaSet" in {each.reason for each in events}


def test_the_dynamic_client_finds_kinds_by_name(api) -> None:
    deployments = dynamic.DynamicClient(api).resources.get(api_version="apps/v1", kind="Deployment")
    found = deployments.get(name=DEPLOYMENT, namespace=NAMESPACE)
    assert found.spec.template.spec.containers[0].name == "api"


def test_a_custom_objects_request_reads_builtin_kinds_too(api) -> None:
    objects = client.CustomObjectsApi(api)
    found = objects.get_namespaced_custom_object("apps", "v1", NAMESPACE, "deployments", DEPLOYMENT)
    assert found["metadata"]["name"] == DEPLOYMENT


def test_endpoint_slices_name_the_ready_pods(api) -> None:
    slices = client.DiscoveryV1Api(api).list_namespaced_endpoint_slice(
        NAMESPACE, label_selector=f"kubernetes.io/service-name={DEPLOYMENT}"
    )
    ready = [end for each in slices.items for end in each.endpoints or [] if end.conditions.ready]
    assert all(end.target_ref.kind == "Pod" and end.addresses[0].startswith("10.244.") for end in ready)
    assert ready


def test_a_review_says_that_the_owner_may(api) -> None:
    asked = {"spec": {"resourceAttributes": {"namespace": NAMESPACE, "verb": "patch", "resource": "deployments"}}}
    assert client.AuthorizationV1Api(api).create_self_subject_access_review(asked).status.allowed
