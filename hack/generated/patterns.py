"""Patterns of the schemas, in words: a person reads what may stand in a field, not how it is checked."""

from aiop.api.common import QUANTITY_PATTERN
from aiop.api.exposure import ENDPOINT_PATTERN
from aiop.api.modeluri import MODEL_STORE_PATTERN, MODEL_URI_PATTERN

_NAME_PART = "[A-Za-z0-9][A-Za-z0-9._-]*"
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

PATTERNS = {
    QUANTITY_PATTERN: "a quantity that is not negative",
    f"^{_NAME_PART}(/{_NAME_PART})*$": "letters, digits, `.`, `_` and `-`, in parts between slashes",
    "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$": "letters, digits, `.`, `_` and `-`; a letter or digit at both ends",
    "^[A-Za-z][A-Za-z0-9._-]*$": "a letter, then letters, digits, `.`, `_` and `-`",
    f"^{_LABEL}(\\.{_LABEL})*$": "a DNS name: `a` to `z`, digits, `-` and `.`",
    f"^(\\*\\.)?{_LABEL}(\\.{_LABEL})*$": "a host name; `*.` at its beginning stands for any first part",
    "^[A-Za-z0-9][A-Za-z0-9._/:@-]*$": "an image's name, with its tag or digest",
    "^[A-Za-z_][A-Za-z0-9_.-]*$": "a letter or `_`, then letters, digits, `_`, `.` and `-`",
    "^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "`a` to `z` and digits, in parts between single hyphens",
    "^/[A-Za-z0-9._~/%$(){}-]*$": "a path from `/`",
    ENDPOINT_PATTERN: "a path from `/`, of which no `.`, `/`, `\\` or `%` hides behind a percent sign",
    "^/[A-Za-z0-9._/-]+$": "an absolute path",
    "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$": "a label's value",
    "^[a-z0-9]+$": "`a` to `z` and digits",
    MODEL_URI_PATTERN: "a URI of one of the forms that `spec.modelUri` lists, without a user or password",
    MODEL_STORE_PATTERN: "a URI: pvc, s3, gs, azure, hf, oci or https, without a user or password",
    "^[-._A-Za-z0-9]+$": "letters, digits, `.`, `_` and `-`",
    "^([A-Za-z_][A-Za-z0-9_.-]*)?$": "a letter or `_`, then letters, digits, `_`, `.` and `-`, or nothing",
    "^[A-Za-z0-9._/-]*$": "letters, digits, `.`, `_`, `/` and `-`",
    "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$": "a label's value that is not empty",
    r"^[1-9][0-9]?g\.[1-9][0-9]{0,3}gb(\.[a-z0-9]+)*$": "a profile as NVIDIA writes it: slices, `g.`, memory, `gb`",
    f"^{_LABEL}$": "a name of a namespace: `a` to `z`, digits and `-`",
    "^/[A-Za-z0-9._~/%:{}-]*$": "a path from `/`",
    "^/[A-Za-z0-9._~/-]*$": "a path from `/`",
}
