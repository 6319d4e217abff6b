"""What schemathesis cannot know of the program."""

import schemathesis


@schemathesis.deserializer("text/html", "text/javascript")
def text(context, response):
    """Schemas of these types are schemas of the text."""
    return response.content.decode()


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
    """A script that brings a problem rejects a request, though its status is 200."""
    is_problem = b'({"type":"about:blank"' in response.content
    is_head_of_script = case.method == "HEAD" and "javascript" in str(
        response.headers.get("content-type")
    )
    accepted = type(failure).__name__ == "AcceptedNegativeData"
    return not (accepted and (is_problem or is_head_of_script))
