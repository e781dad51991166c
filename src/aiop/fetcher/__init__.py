"""The model fetcher: `python -m aiop.fetcher measure|fetch URI FOLDER`, the two init containers of a served model.

It stands beside the house: it imports nothing else of aiop, nothing imports it, and it has an image of its own
(`Dockerfile.fetcher`). `measure` finds out what the model is made of and pins it; `fetch` brings it into FOLDER, goes
on where an earlier try ended, verifies, and unpacks. Both end by writing one line of JSON, at most 2 KiB, to
$AIOP_TERMINATION_LOG (default /dev/termination-log): ``{"reason", "message", "files", "bytes", "seconds"}``. They exit
with 0 for the reasons Measured and Fetched, with 2 for BadUri, with 1 for all others, and with 143 on SIGTERM. Nothing
that they say holds a credential.

Credentials are environment variables; the operator hands over one Secret of the namespace (``envFrom``).

========  =============================================================================================================
URI       Secret's keys
========  =============================================================================================================
s3://     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION or AWS_DEFAULT_REGION,
          AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL
gs://     GOOGLE_APPLICATION_CREDENTIALS_JSON or gcloud-application-credentials.json
azure://  AZURE_STORAGE_CONNECTION_STRING; AZURE_STORAGE_ACCESS_KEY or AZURE_STORAGE_KEY; AZURE_STORAGE_SAS_TOKEN;
          AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; AZURE_STORAGE_ENDPOINT
https://  HTTPS_AUTHORIZATION (the header's value), or HTTPS_USERNAME and HTTPS_PASSWORD
hf://     HF_TOKEN, HF_ENDPOINT
oci://    OCI_USERNAME and OCI_PASSWORD, or .dockerconfigjson
models:/  MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; and
          those of the place where the registry keeps the files
========  =============================================================================================================

Without keys the ServiceAccount's cloud identity is used (IAM roles for ServiceAccounts, EKS Pod Identity, GKE and Azure
workload identity), and without that the source is asked as anybody may. Limits: AIOP_MAX_BYTES (default: the free
room), AIOP_MAX_FILES (100000), AIOP_ATTEMPTS (6), AIOP_STREAMS (8). SSL_CERT_FILE names a bundle of authorities.
"""
