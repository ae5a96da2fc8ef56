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
    if isinstance(inner, ssl.SSLError):
        return _insecure(inner)
    if isinstance(inner, ConnectionRefusedError):
        return "the connection was refused; is it running, and is this its address?"
    if isinstance(inner, ConnectionError | HTTPException):
        return f"the connection was closed before the whole answer came ({said})"
    return "no answer in time" if isinstance(inner, TimeoutError) else said[:300]


def _insecure(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); is this the right certificate authority?"
    if isinstance(error, ssl.SSLEOFError):
        return "the connection was closed before it was secure; is anything behind this address?"
    return f"no secure connection ({error.reason or error}); does it speak TLS there?"


def lost(error: BaseException) -> bool:
    """Whether the connection was refused or went away, so that another try may do."""
    return isinstance(cause(error), ConnectionError | HTTPException)


def untouched(error: BaseException) -> bool:
    """Whether *error* says that no secure connection came about, so that nothing can have been sent."""
    return isinstance(cause(error), ssl.SSLCertVerificationError)
