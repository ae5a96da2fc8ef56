"""A pod's life on our node, through the API: started, configured, probed, restarted, ended."""

import time

import pytest
from apiserver import CORE
from smallworld import SHELL, World, probe, ready, shell, until, waits, world

SLEEP = "exec sleep 60"
SERVICE = {"name": "c", "image": "claude-deployment-api:1.4.2", "ports": [{"name": "http", "containerPort": 8080}]}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def namespace(made: World) -> str:
    return made.api.namespace()


def config_map(made: World, namespace: str, **data: str) -> str:
    body = {"metadata": {"name": "settings"}, "data": data}
    return made.create(f"{CORE}/namespaces/{namespace}/configmaps", body)


def settings() -> dict:
    """Return what mounts the ConfigMap `settings` at `etc` in a container's root."""
    return {"volumes": [{"name": "etc", "configMap": {"name": "settings"}}]}


MOUNTED = {"volumeMounts": [{"name": "etc", "mountPath": "/etc"}]}


# --- restarts


WAITS = ["400ms", "800ms", "2s", "3s", "6s", "12s"]


def test_a_container_that_fails_is_restarted_after_ever_longer_waits(made, namespace) -> None:
    path, told = made.pod(namespace, shell("exit 3")), []

    def thrice() -> bool:
        """Tell whether it was restarted thrice, and two waits were seen: who looks late misses the short ones."""
        waiting = made.container(path)["state"].get("waiting", {})
        if waiting.get("reason") == "CrashLoopBackOff":
            told.append(waiting["message"].split()[1])
        return made.container(path)["restartCount"] >= 3 and len(set(told)) >= 2

    until(thrice, 60)
    assert list(dict.fromkeys(told)) == [each for each in WAITS if each in told]
    assert made.container(path)["lastState"]["terminated"]["exitCode"] == 3
    assert "Back-off restarting failed container c in pod p_" in until(lambda: made.events(namespace, "BackOff"))[0]


GROWS = "x=$(head -c 60000000 /dev/zero | tr '\\0' x); sleep 60"


def test_a_container_that_grows_beyond_its_limit_is_killed_for_it_and_one_below_is_not(made, namespace) -> None:
    held = {"resources": {"limits": {"memory": "20Mi"}}}
    path = made.pod(namespace, shell(GROWS, **held))
    small = made.pod(namespace, shell("sleep 60", **held), name="small")
    until(lambda: made.container(path)["restartCount"] >= 1)
    ended = made.container(path)["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
    assert made.container(small)["restartCount"] == 0


@pytest.mark.parametrize(
    ("policy", "script", "phase", "restarts"),
    [
        ("Never", "exit 3", "Failed", 0),
        ("Never", "exit 0", "Succeeded", 0),
        ("OnFailure", "exit 0", "Succeeded", 0),
        ("OnFailure", "test -e $HOME/once && exit 0; : > $HOME/once; exit 1", "Succeeded", 1),
    ],
)
def test_a_pod_that_may_end_ends(made, namespace, policy, script, phase, restarts) -> None:
    path = made.pod(namespace, shell(script), restartPolicy=policy)
    until(lambda: made.get(path)["status"].get("phase") == phase)
    assert made.container(path)["restartCount"] == restarts


def test_init_containers_run_one_after_the_other_before_all_others(made, namespace) -> None:
    inits = [shell("sleep 0.2; echo 1 >> $HOME/order", "first"), shell("echo 2 >> $HOME/order", "second")]
    path = made.pod(namespace, shell(f"echo 3 >> $HOME/order; cat $HOME/order; {SLEEP}"), initContainers=inits)
    assert until(lambda: made.said(path) if ready(made.get(path)) else "").split() == ["1", "2", "3"]


def test_while_an_init_container_fails_no_other_starts(made, namespace) -> None:
    path = made.pod(namespace, shell("exit 0"), initContainers=[shell("exit 1", "first")])
    until(lambda: made.container(path, "initContainerStatuses")["restartCount"] >= 1)
    assert made.get(path)["status"]["phase"] == "Pending"
    assert "running" not in made.container(path)["state"]
    assert "containerID" not in made.container(path)


# --- configuration


def test_a_missing_config_map_holds_a_container_up_until_it_is_there(made, namespace) -> None:
    path = made.pod(namespace, shell(f"echo $A; {SLEEP}", envFrom=[{"configMapRef": {"name": "settings"}}]))
    missing = {"reason": "CreateContainerConfigError", "message": 'configmap "settings" not found'}
    until(lambda: made.container(path)["state"].get("waiting") == missing)
    config_map(made, namespace, A="there")
    until(lambda: "there" in made.said(path), 9)  # after ten seconds it would look again without being told
    assert made.container(path)["restartCount"] == 0


def test_an_unknown_image_is_not_pulled_until_it_is_one_that_is_known(made, namespace) -> None:
    path, seen = made.pod(namespace, shell(SLEEP) | {"image": "busybox:none"}), []

    def seen_both() -> bool:
        seen.append(waits(made.container(path)))
        return {"ErrImagePull", "ImagePullBackOff"} <= set(seen)

    def refused() -> bool:
        answer = made.api.http.get(f"{path}/log")
        return (answer.status_code, "trying and failing to pull image" in answer.text) == (400, True)

    until(seen_both)  # it goes to and fro between them
    until(refused)
    made.patch(path, {"spec": {"containers": [made.get(path)["spec"]["containers"][0] | {"image": SHELL}]}})
    until(lambda: ready(made.get(path)))


def test_an_environment_comes_from_maps_secrets_and_the_pod_itself(made, namespace) -> None:
    config_map(made, namespace, REGION="eu")
    secret = {"metadata": {"name": "keys"}, "stringData": {"KEY": "k-1"}}
    made.create(f"{CORE}/namespaces/{namespace}/secrets", secret)
    env = [
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "KEY"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "BOTH", "value": "$(REGION)-$(KEY)"},
    ]
    container = shell(f'echo "$BOTH $IP"; {SLEEP}', envFrom=[{"configMapRef": {"name": "settings"}}], env=env)
    path = made.pod(namespace, container)
    told = until(lambda: made.said(path) if ready(made.get(path)) else "")
    assert told.split() == ["eu-k-1", made.get(path)["status"]["podIP"]]


def test_a_volume_follows_its_config_map_while_the_container_runs(made, namespace) -> None:
    source = config_map(made, namespace, a="one")
    script = "while :; do cat etc/a; echo; sleep 0.1; done"
    path = made.pod(namespace, shell(script, **MOUNTED), **settings())
    until(lambda: "one" in made.said(path))
    made.patch(source, {"data": {"a": "two"}})
    until(lambda: "two" in made.said(path))
    assert made.container(path)["restartCount"] == 0


# --- probes


def test_a_ready_pod_keeps_no_reason_for_not_being_so(made, namespace) -> None:
    path = made.pod(namespace, shell(f"sleep 0.3; {SLEEP}", readinessProbe=probe("true")))
    pod = until(lambda: found if ready(found := made.get(path)) else None)
    told = {each["type"]: each for each in pod["status"]["conditions"]}
    assert not {"reason", "message"} & {*told["Ready"], *told["ContainersReady"], *told["Initialized"]}


def test_a_pod_is_ready_as_long_as_its_readiness_probe_succeeds(made, namespace) -> None:
    source = config_map(made, namespace, other="")
    container = shell(SLEEP, readinessProbe=probe("test -e etc/up"), **MOUNTED)
    path = made.pod(namespace, container, **settings())
    until(lambda: made.events(namespace, "Unhealthy"))
    assert not ready(made.get(path))
    made.patch(source, {"data": {"up": ""}})
    until(lambda: ready(made.get(path)))
    made.patch(source, {"data": {"up": None}})
    until(lambda: not ready(made.get(path)))
    assert made.container(path)["restartCount"] == 0


def test_a_container_that_is_not_alive_is_restarted(made, namespace) -> None:
    path = made.pod(namespace, shell(SLEEP, livenessProbe=probe("echo stuck; exit 1")))
    until(lambda: made.container(path)["restartCount"] >= 1)
    until(lambda: "Liveness probe failed: stuck" in made.events(namespace, "Unhealthy"))
    until(lambda: "Container c failed liveness probe, will be restarted" in made.events(namespace, "Killing"))


def test_a_container_is_asked_whether_it_lives_only_once_it_has_started(made, namespace) -> None:
    source = config_map(made, namespace, other="")
    never, started = probe("exit 1"), probe("test -e etc/up", failureThreshold=30)
    path = made.pod(namespace, shell(SLEEP, livenessProbe=never, startupProbe=started, **MOUNTED), **settings())
    until(lambda: len(made.events(namespace, "Unhealthy")) >= 1)
    until(lambda: "running" in made.container(path)["state"])
    assert (made.container(path)["started"], made.container(path)["restartCount"]) == (False, 0)
    assert not any("Liveness" in each for each in made.events(namespace, "Unhealthy"))
    made.patch(source, {"data": {"up": ""}})
    until(lambda: made.container(path)["restartCount"] >= 1)


def test_http_probes_ask_the_pods_own_port_by_number_or_name(made, namespace) -> None:
    def asked(name: str, path: str, port: int | str) -> str:
        get = {"httpGet": {"path": path, "port": port}, "periodSeconds": 1}
        return made.pod(namespace, SERVICE | {"readinessProbe": get}, name=name)

    good, named = asked("good", "/health", 8080), asked("named", "/health", "http")
    bad = asked("bad", "/none", 8080)
    until(lambda: ready(made.get(good)) and ready(made.get(named)))
    until(
        lambda: "Readiness probe failed: HTTP probe failed with statuscode: 404" in made.events(namespace, "Unhealthy")
    )
    assert not ready(made.get(bad))


# --- the end


def seconds_until_gone(made: World, path: str) -> float:
    before = time.monotonic()
    made.api("DELETE", path)
    assert made.api.gone(path, 50)
    return time.monotonic() - before


def test_a_container_that_obeys_is_gone_long_before_its_grace_is_over(made, namespace) -> None:
    path = made.pod(namespace, shell("exec sleep 300"), terminationGracePeriodSeconds=60)
    until(lambda: ready(made.get(path)))
    assert seconds_until_gone(made, path) < 30


def test_a_container_that_does_not_listen_is_killed_when_its_grace_is_over(made, namespace) -> None:
    path = made.pod(namespace, shell("trap '' TERM; echo deaf; while :; do sleep 0.1; done"))
    uid = made.get(path)["metadata"]["uid"]
    until(lambda: "deaf" in made.said(path))
    assert 1 <= seconds_until_gone(made, path) < 20
    until(lambda: made.processes(uid) == [])  # to die takes a moment of the processor, too


# --- logs


@pytest.fixture
def written(made, namespace) -> str:
    """A pod that wrote six lines, the last of them as an error, once the others were in its log."""
    lines = "for i in 1 2 3 4 5; do echo line $i; sleep 0.02; done"
    path = made.pod(namespace, shell(f"{lines}; until test -e $HOME/on; do sleep 0.02; done; echo oops >&2; {SLEEP}"))
    until(lambda: "line 5" in made.said(path))
    (made.folder / "pods" / made.get(path)["metadata"]["uid"] / "on").touch()
    until(lambda: "oops" in made.said(path))
    return path


def test_a_log_is_read_whole_or_in_part(made, written) -> None:
    assert made.log(written) == "line 1\nline 2\nline 3\nline 4\nline 5\noops\n"
    assert made.log(written, tailLines="2") == "line 5\noops\n"
    assert made.log(written, tailLines="0") == ""
    assert made.log(written, limitBytes="9") == "line 1\nli"
    assert made.log(written, sinceSeconds="3600", tailLines="1") == "oops\n"


def test_a_log_is_read_from_a_moment_on(made, written) -> None:
    moment = made.log(written, timestamps="true").splitlines()[3].split()[0]
    assert made.log(written, sinceTime=moment) == "line 4\nline 5\noops\n"


def test_the_log_of_the_start_before_can_still_be_read(made, namespace) -> None:
    script = f"test -e $HOME/once && echo second && {SLEEP}; : > $HOME/once; echo first; exit 1"
    path = made.pod(namespace, shell(script))
    until(lambda: "second" in made.said(path))
    assert made.log(path, previous="true") == "first\n"
    other = made.pod(namespace, shell(SLEEP), name="other")
    until(lambda: ready(made.get(other)))
    assert "previous terminated container" in made.log(other, previous="true")


def test_a_flood_of_logs_fills_no_disk_and_keeps_the_latest(made, namespace) -> None:
    flood = "head -c 25000000 /dev/zero | tr '\\0' x | fold -w 5000; echo; echo latest; " + SLEEP
    path = made.pod(namespace, shell(flood))
    until(lambda: made.log(path, tailLines="1") == "latest\n", 90)
    folder = made.folder / "pods" / made.get(path)["metadata"]["uid"] / "logs"
    assert sum(each.stat().st_size for each in folder.rglob("*.log*")) <= 20 * 1024 * 1024
