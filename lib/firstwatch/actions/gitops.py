"""
Who keeps an object as it is in git: the marks that a GitOps controller leaves, and whether it puts things back now.

Its own object is asked, because a controller that is paused, or that never synced by itself, takes nothing back.
"""

from dataclasses import dataclass

from firstwatch.model import Json
from firstwatch.systems import Systems

TRACKING, INSTANCE = "argocd.argoproj.io/tracking-id", "argocd.argoproj.io/instance"
FLUX = {"Kustomization": "kustomize.toolkit.fluxcd.io", "HelmRelease": "helm.toolkit.fluxcd.io"}


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller's own object. `field` (a JSON pointer) is what makes it put things back, or not."""

    who: str
    kind: str
    namespace: str
    name: str
    field: str
    paused: Json  # what the field is while the controller leaves things alone; None: absent

    def __str__(self) -> str:
        return f"{self.who}'s {self.kind} {self.namespace}/{self.name}"


def owner(found: Json, argo_namespace: str) -> Owner | None:
    """Return who owns the object *found* by its marks, or None; *argo_namespace* is where Argo CD's objects are."""
    metadata = found["metadata"]
    marks = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
    application = marks.get(TRACKING, "").partition(":")[0] or marks.get(INSTANCE, "")
    if application:
        namespace, _, name = application.rpartition("_")  # an application of another namespace is namespace_name
        return Owner("Argo CD", "Application", namespace or argo_namespace, name, "/spec/syncPolicy/automated", None)
    for kind, group in FLUX.items():
        if name := marks.get(f"{group}/name", ""):
            return Owner("Flux", kind, marks.get(f"{group}/namespace", "flux-system"), name, "/spec/suspend", True)
    return None


def read(systems: Systems, owned: Owner) -> Json:
    """Return the controller's own object; errors as `Cluster.get`."""
    return systems.cluster.get(owned.kind, owned.namespace, owned.name)


def idle(owned: Owner, application: Json) -> bool:
    """Whether *application*, the object of *owned*, leaves alone what it owns."""
    thing = application
    for part in owned.field.split("/")[1:]:
        thing = thing.get(part) if isinstance(thing, dict) else None
    return bool(thing == owned.paused)
