"""Where models lie: the URIs that the kinds take, and the credentials that go with them."""

from typing import Annotated

from pydantic import Field

from aiop.api.common import DnsName, Stored

# Schemes with an authority; an '@' in it would be a password in plain sight, so it is no part of one.
_STORES = r"(s3|gs|azure|hf|oci|https)://[A-Za-z0-9][A-Za-z0-9._~%:-]*(/[A-Za-z0-9._~%@:=+,/-]*)?"
# A claim is one of the workload's own namespace: its name, and nothing that could name another.
_CLAIM = r"pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_CLAIMS = rf"{_CLAIM}(/[A-Za-z0-9._~%@:=+,/-]*)?"
# An MLflow registry's own form: models:/name/version or models:/name@alias.
_REGISTRY = r"models:/[A-Za-z0-9][A-Za-z0-9._ -]*(/[0-9]{1,9}|@[A-Za-z0-9][A-Za-z0-9._-]*)"
MODEL_URI_PATTERN = rf"^({_CLAIMS}|{_STORES}|{_REGISTRY})$"
# A model store is a place that holds models by name and version.
_PLACES = r"(s3|gs|azure|hf|oci|https)://[A-Za-z0-9][A-Za-z0-9._~%:-]*"
MODEL_STORE_PATTERN = rf"^({_CLAIM}|{_PLACES})(/[A-Za-z0-9._~%=+,/-]*)?$"
ModelUri = Annotated[str, Field(max_length=2048, pattern=MODEL_URI_PATTERN)]
ModelStore = Annotated[str, Field(max_length=1024, pattern=MODEL_STORE_PATTERN)]


class Credentials(Stored):
    """What the model's files are fetched with. It reaches the containers that fetch, never the operator."""

    secret_name: DnsName = Field(
        description="A Secret of the same namespace; its keys are the variables that the storage's own tools know, "
        "such as AWS_ACCESS_KEY_ID or HF_TOKEN."
    )
