"""What schemathesis cannot know of the program."""

import base64

import schemathesis


@schemathesis.deserializer("text/html", "text/javascript", "image/svg+xml")
def text(context, response):
    """Schemas of these types are schemas of the text."""
    return response.content.decode()


@schemathesis.deserializer("image/gif")
def encoded(context, response):
    """Schemas of this type are schemas of its base64."""
    return base64.b64encode(response.content).decode()


@schemathesis.hook
def filter_path_parameters(context, path_parameters) -> bool:
    return key_fits(path_parameters)


@schemathesis.hook
def filter_query(context, query) -> bool:
    return key_fits(query)


def key_fits(parameters) -> bool:
    """A key has at most 128 bytes. A schema can only say characters."""
    keys = (parameters or {}).get("key")
    keys = keys if isinstance(keys, list) else [keys]
    return all(len(str(key)) > 128 or len(str(key).encode(errors="replace")) <= 128 for key in keys)


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    """A script or an image that brings a problem rejects a request, though its status is 200."""
    is_problem = b'({"type":"about:blank"' in response.content
    is_head_of_script = case.method == "HEAD" and "javascript" in str(
        response.headers.get("content-type")
    )
    accepted = type(failure).__name__ == "AcceptedNegativeData"
    is_image_of_problem = b"unavailable" in response.content or (
        is_image(response) and (case.method == "HEAD" or response.content.startswith(b"GIF"))
    )
    return not (accepted and (is_problem or is_head_of_script or is_image_of_problem))


def is_image(response) -> bool:
    kind = str(response.headers.get("cross-origin-resource-policy"))
    return "cross-origin" in kind and "javascript" not in str(response.headers.get("content-type"))
