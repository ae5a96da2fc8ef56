"""What our API server does with objects, through the wire, beyond what the kubectl checks ask."""

import pytest
from apiserver import APPS, CORE, MERGE, POLICY, STRATEGIC, calling, started

LATER = "9999999"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    directory = tmp_path_factory.mktemp("api")
    with started(directory), calling(directory) as made:
        yield made


@pytest.fixture
def maps(api) -> str:
    """The path of the ConfigMaps in a namespace of the test's own."""
    return f"{CORE}/namespaces/{api.namespace()}/configmaps"


def named(name: str, **about) -> dict:
    return {"metadata": {"name": name, **about}}


def owned(name: str, owner: dict) -> dict:
    about = owner["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": about["name"], "uid": about["uid"]}
    return named(name, ownerReferences=[reference])


def pod(name: str, **labels: str) -> dict:
    spec = {"containers": [{"name": "c", "image": "busybox:1.36"}], "nodeName": "nowhere"}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


# --- lists and watches


def test_a_page_begins_where_the_last_one_ended(api, maps) -> None:
    for name in "abc":
        api("POST", maps, named(name))
    first = api("GET", maps, limit="2")[1]
    rest = api("GET", maps, limit="2", **{"continue": first["metadata"]["continue"]})[1]
    names = [[each["metadata"]["name"] for each in page["items"]] for page in (first, rest)]
    assert (names, first["metadata"]["remainingItemCount"]) == ([["a", "b"], ["c"]], 1)
    assert "continue" not in rest["metadata"]


def test_a_continue_token_that_was_not_ours_is_400(api, maps) -> None:
    assert api("GET", maps, limit="1", **{"continue": "bm9uZQ=="})[0] == 400


def test_a_watch_from_a_version_that_is_yet_to_come_says_so(api, maps) -> None:
    (told,) = api.watch(maps, resourceVersion=LATER)
    assert (told["type"], told["object"]["code"]) == ("ERROR", 504)


def test_what_begins_to_be_selected_is_added_and_what_ends_to_be_is_deleted(api, maps) -> None:
    since = api("POST", maps, named("a"))[1]["metadata"]["resourceVersion"]
    for value in ("1", None):
        api("PATCH", f"{maps}/a", {"metadata": {"labels": {"chosen": value}}}, MERGE)
    told = api.watch(maps, resourceVersion=since, labelSelector="chosen")
    assert [each["type"] for each in told] == ["ADDED", "DELETED"]
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in told]
    assert versions == sorted(set(versions))


def test_a_watch_tells_what_is_there_and_where_that_ends_when_asked(api, maps) -> None:
    api("POST", maps, named("a"))
    told = api.watch(maps, sendInitialEvents="true", allowWatchBookmarks="true", resourceVersionMatch="NotOlderThan")
    assert [each["type"] for each in told[:2]] == ["ADDED", "BOOKMARK"]
    assert told[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watch_of_one_namespace_tells_nothing_of_others(api, maps) -> None:
    since = api("POST", f"{CORE}/namespaces/{api.namespace()}/configmaps", named("b"))[1]["metadata"]["resourceVersion"]
    api("POST", f"{CORE}/namespaces/default/configmaps", named("c"))
    assert api.watch(maps, resourceVersion=str(int(since) - 1)) == []


@pytest.mark.parametrize("value", ["True", "true", "1"])
def test_booleans_are_read_in_every_spelling(api, maps, value) -> None:
    assert api.http.get(maps, params={"watch": value, "timeoutSeconds": "1"}).text == ""


# --- writes


def test_a_namespace_that_is_not_there_takes_nothing_in(api) -> None:
    status, body = api("POST", f"{CORE}/namespaces/nowhere/configmaps", named("a"))
    assert (status, body["message"]) == (404, 'namespaces "nowhere" not found')


def test_a_value_of_another_type_is_refused_and_named(api, maps) -> None:
    status, body = api("POST", maps, named("a") | {"data": {"replicas": 3}})
    assert (status, "cannot unmarshal number" in body["message"]) == (400, True)


def test_an_unknown_field_is_warned_of_and_dropped(api, maps) -> None:
    answer = api.http.post(maps, json=named("a") | {"dta": {}})
    assert (answer.status_code, answer.headers["Warning"]) == (201, '299 - "unknown field \\"dta\\""')
    assert "dta" not in answer.json()


def test_yaml_is_read_too(api, maps) -> None:
    text = b"metadata:\n  name: written\ndata:\n  colour: 'yes'\n"
    answer = api.http.post(maps, content=text, headers={"Content-Type": "application/yaml"})
    assert answer.json()["data"] == {"colour": "yes"}


def test_a_status_is_not_written_with_the_rest(api) -> None:
    path = f"{CORE}/namespaces/{api.namespace()}/pods"
    api("POST", path, pod("p") | {"status": {"phase": "Failed"}})
    api("PATCH", f"{path}/p", {"status": {"phase": "Failed"}}, MERGE)
    assert api("GET", f"{path}/p")[1]["status"]["phase"] == "Pending"


def test_a_pod_is_bound_once(api) -> None:
    path = f"{CORE}/namespaces/{api.namespace()}/pods"
    body = pod("p")
    del body["spec"]["nodeName"]
    api("POST", path, body)
    binding = named("p") | {"target": {"kind": "Node", "name": "node-1"}}
    assert [api("POST", f"{path}/p/binding", binding)[0] for _ in range(2)] == [201, 409]
    assert api("GET", f"{path}/p")[1]["spec"]["nodeName"] == "node-1"


def test_a_service_keeps_the_address_that_it_was_given(api) -> None:
    path = f"{CORE}/namespaces/{api.namespace()}/services"
    body = named("s") | {"spec": {"ports": [{"port": 80}]}}
    first, second = (api("POST", path, {**body, **named(name)})[1]["spec"]["clusterIP"] for name in ("s", "t"))
    again = api("PUT", f"{path}/s", body)[1]["spec"]["clusterIP"]
    assert first.startswith("10.96.")
    assert (again, second != first) == (first, True)


# --- deleting


def test_a_finalizer_keeps_an_object_until_it_is_taken_away(api, maps) -> None:
    api("POST", maps, named("a", finalizers=["example.com/wait"]))
    assert "deletionTimestamp" in api("DELETE", f"{maps}/a")[1]["metadata"]
    api("PATCH", f"{maps}/a", {"metadata": {"finalizers": None}}, MERGE)
    assert api("GET", f"{maps}/a")[0] == 404


def test_a_pod_on_a_node_stays_until_it_is_deleted_without_grace(api) -> None:
    path = f"{CORE}/namespaces/{api.namespace()}/pods"
    api("POST", path, pod("p"))
    assert api("DELETE", f"{path}/p")[1]["metadata"]["deletionGracePeriodSeconds"] == 30
    assert api("GET", f"{path}/p")[0] == 200
    api("DELETE", f"{path}/p", gracePeriodSeconds="0")
    assert api("GET", f"{path}/p")[0] == 404


def test_what_is_owned_goes_with_its_owner_through_all_generations(api, maps) -> None:
    owner = api("POST", maps, named("owner"))[1]
    child = api("POST", maps, owned("child", owner))[1]
    api("POST", maps, owned("grandchild", child))
    api("DELETE", f"{maps}/owner")
    assert api.gone(f"{maps}/grandchild")


def test_what_names_an_owner_that_is_gone_goes_too(api, maps) -> None:
    owner = api("POST", maps, named("owner"))[1]
    api("DELETE", f"{maps}/owner")
    api("POST", maps, owned("late", owner))
    assert api.gone(f"{maps}/late")


def test_an_orphan_lives_on_without_its_owner(api, maps) -> None:
    owner = api("POST", maps, named("owner"))[1]
    api("POST", maps, owned("child", owner))
    api("DELETE", f"{maps}/owner", propagationPolicy="Orphan")
    assert api.gone(f"{maps}/owner")
    status, child = api("GET", f"{maps}/child")
    assert (status, "ownerReferences" in child["metadata"]) == (200, False)


def test_in_the_foreground_the_owner_goes_last(api, maps) -> None:
    owner = api("POST", maps, named("owner"))[1]
    api("POST", maps, owned("child", owner) | {"data": {}})
    api("PATCH", f"{maps}/child", {"metadata": {"finalizers": ["example.com/wait"]}}, MERGE)
    api("DELETE", f"{maps}/owner", propagationPolicy="Foreground")
    assert api("GET", f"{maps}/owner")[1]["metadata"]["finalizers"] == ["foregroundDeletion"]
    api("PATCH", f"{maps}/child", {"metadata": {"finalizers": None}}, MERGE)
    assert api.gone(f"{maps}/owner")


def test_in_the_foreground_the_owner_waits_for_all_generations(api) -> None:
    space = f"{CORE}/namespaces/{api.namespace()}"
    owner = api("POST", f"{space}/configmaps", named("owner"))[1]
    child = api("POST", f"{space}/configmaps", owned("child", owner))[1]
    running = pod("p")
    running["metadata"] |= owned("p", child)["metadata"]
    api("POST", f"{space}/pods", running)
    api("DELETE", f"{space}/configmaps/owner", propagationPolicy="Foreground")
    assert not api.gone(f"{space}/configmaps/owner", within_s=0.3)
    api("DELETE", f"{space}/pods/p", gracePeriodSeconds="0")
    assert api.gone(f"{space}/configmaps/owner")


def test_a_namespace_takes_all_in_it_along_and_nothing_new_in(api) -> None:
    name = api.namespace()
    path = f"{CORE}/namespaces/{name}"
    api("POST", f"{path}/pods", pod("p"))
    assert api("DELETE", path)[1]["status"]["phase"] == "Terminating"
    assert api("POST", f"{path}/configmaps", named("late"))[0] == 403
    api("DELETE", f"{path}/pods/p", gracePeriodSeconds="0")
    assert api.gone(path)


@pytest.mark.parametrize("field", ["uid", "resourceVersion"])
def test_a_deletion_meant_for_another_is_409(api, maps, field) -> None:
    api("POST", maps, named("a"))
    assert api("DELETE", f"{maps}/a", {"preconditions": {field: "1"}})[0] == 409


def test_a_dry_run_deletes_nothing(api, maps) -> None:
    api("POST", maps, named("a"))
    assert api("DELETE", f"{maps}/a", dryRun="All")[0] == 200
    assert api("GET", f"{maps}/a")[0] == 200


# --- eviction


@pytest.fixture
def guarded(api):
    """A pod that runs, the path of its evictions, and of the budget that guards it."""
    name = api.namespace()
    path, budgets = f"{CORE}/namespaces/{name}/pods", f"{POLICY}/namespaces/{name}/poddisruptionbudgets"
    api("POST", path, pod("p", app="guarded"))
    ready = [{"type": "Ready", "status": "True"}]
    api("PATCH", f"{path}/p/status", {"status": {"phase": "Running", "conditions": ready}}, STRATEGIC)
    api("POST", budgets, named("b") | {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "guarded"}}}})
    return path, f"{budgets}/b"


def evict(api, path: str, **options) -> tuple:
    return api("POST", f"{path}/p/eviction", named("p") | {"deleteOptions": options})


def allow(api, budget: str, count: int) -> None:
    status = {"disruptionsAllowed": count, "observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1}
    assert api("PATCH", f"{budget}/status", {"status": status}, MERGE)[0] == 200


@pytest.mark.parametrize("options", [{}, {"dryRun": ["All"]}], ids=["for-real", "dry-run"])
def test_an_eviction_for_which_a_budget_has_no_room_is_429(api, guarded, options) -> None:
    path, budget = guarded
    allow(api, budget, 0)
    status, body = evict(api, path, **options)
    assert (status, body["details"]["causes"][0]["reason"]) == (429, "DisruptionBudget")
    assert api("GET", f"{path}/p")[0] == 200


def test_an_eviction_takes_its_room_from_the_budget(api, guarded) -> None:
    path, budget = guarded
    allow(api, budget, 1)
    assert evict(api, path)[0] == 201
    assert api("GET", budget)[1]["status"]["disruptionsAllowed"] == 0
    assert "deletionTimestamp" in api("GET", f"{path}/p")[1]["metadata"]


def test_an_eviction_that_is_only_tried_leaves_pod_and_budget_as_they_are(api, guarded) -> None:
    path, budget = guarded
    allow(api, budget, 1)
    assert evict(api, path, dryRun=["All"])[0] == 201
    assert api("GET", budget)[1]["status"]["disruptionsAllowed"] == 1
    assert "deletionTimestamp" not in api("GET", f"{path}/p")[1]["metadata"]


# --- forms


def test_metadata_alone_is_given_when_asked_for(api, maps) -> None:
    api("POST", maps, named("a") | {"data": {"k": "v"}})
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    body = api.http.get(f"{maps}/a", headers={"Accept": accept}).json()
    assert (body["kind"], "data" in body) == ("PartialObjectMetadata", False)


def test_a_form_that_is_not_ours_is_406(api, maps) -> None:
    assert api.http.get(maps, headers={"Accept": "application/vnd.kubernetes.protobuf"}).status_code == 406


def test_the_scale_of_a_set_is_a_write_to_the_set(api) -> None:
    path = f"{APPS}/namespaces/{api.namespace()}/replicasets"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    api("POST", path, named("r") | {"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})
    assert api("PATCH", f"{path}/r/scale", {"spec": {"replicas": 4}}, MERGE)[1]["kind"] == "Scale"
    changed = api("GET", f"{path}/r")[1]
    assert (changed["spec"]["replicas"], changed["metadata"]["generation"]) == (4, 2)
