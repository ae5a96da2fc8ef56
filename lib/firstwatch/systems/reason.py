"""Why there was no answer, in plain words: the innermost cause of what a client library raised."""

import socket
import ssl
from http.client import HTTPException


def cause(error: BaseException) -> BaseException:
    """Return the innermost cause of *error*: libraries wrap it in their own machinery."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def reason(error: BaseException) -> str:
    """Return in a few words why *error* came, and what to look at."""
    inner = cause(error)
    said = f"{inner}" or type(inner).__name__
    if isinstance(inner, socket.gaierror):
        return f"its name cannot be resolved ({inner.strerror}); is the address right?"
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({inner.verify_message}); is this the right certificate authority?"
    if isinstance(inner, ssl.SSLError):
        return f"no secure connection ({inner.reason or said}); does it speak TLS there?"
    if isinstance(inner, ConnectionRefusedError):
        return "the connection was refused; is it running, and is this its address?"
    if isinstance(inner, ConnectionError | HTTPException):
        return f"the connection was closed before the whole answer came ({said})"
    return "no answer in time" if isinstance(inner, TimeoutError) else said[:300]


def lost(error: BaseException) -> bool:
    """Whether the connection was refused or went away, so that another try may do."""
    return isinstance(cause(error), ConnectionError | HTTPException)


def untouched(error: BaseException) -> bool:
    """Whether *error* says that no secure connection came about, so that nothing can have been sent."""
    return isinstance(cause(error), ssl.SSLCertVerificationError)
