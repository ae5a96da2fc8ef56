"""
Where the cluster is and what proves who we are: a kubeconfig, else the pod's own account.

The official client reads it, with its exec plugins and token files. It is read anew when the cluster says that a
credential is no longer good.
"""

from typing import TYPE_CHECKING

from firstwatch import settings
from firstwatch.errors import BadParameter
from firstwatch.systems import credentials

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration


def client(where: settings.Kubernetes) -> "tuple[str, ApiClient]":
    """Return the context's name and a client of it; BadParameter when there is no such kubeconfig or context."""
    from kubernetes.client import ApiClient, Configuration

    configuration = Configuration()
    configuration.proxy = configuration.no_proxy = None  # the environment's would be shown the token
    credentials.learn(where)
    context = _credentials(configuration, where)
    credentials.learn_used(configuration)
    return context, ApiClient(_hardened(configuration))


def behind(host: str, proxy: str) -> "ApiClient":
    """Return a client that asks *proxy* for whatever *host* would be asked, and proves nothing."""
    from kubernetes.client import ApiClient, Configuration

    configuration = Configuration(host=host)
    configuration.proxy = proxy
    return ApiClient(_hardened(configuration))


def _credentials(configuration: "Configuration", where: settings.Kubernetes) -> str:
    """Fill *configuration* from the kubeconfig, else from the pod's own account; return the context's name."""
    from kubernetes import config

    path = where.kubeconfig or None
    try:
        contexts, active = config.list_kube_config_contexts(path)
        chosen = where.context or active["name"]
        config.load_kube_config(path, context=chosen, client_configuration=configuration)
    except config.ConfigException as error:
        return _in_cluster(configuration, where, error)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadParameter(f"the kubeconfig {path or '(KUBECONFIG)'} cannot be read: {error}") from error
    known = [each["name"] for each in contexts]
    return chosen if chosen in known else known[0]


def _in_cluster(configuration: "Configuration", where: settings.Kubernetes, error: Exception) -> str:
    from kubernetes import config

    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException:
        named = f"context {where.context!r} of " if where.context else ""
        raise BadParameter(f"no cluster: {named}{where.kubeconfig or 'the kubeconfig'}: {error}") from error
    return "in-cluster"


def _hardened(configuration: "Configuration") -> "Configuration":
    configuration.retries = False  # the library's own default repeats writes
    configuration.connection_pool_maxsize = 16
    return configuration
