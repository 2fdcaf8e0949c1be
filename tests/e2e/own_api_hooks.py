"""Hooks of schemathesis: requests are signed as the AWS clients sign, and some of them ask for what
is there. The environment says which key, and the ids that are there."""
import os

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import requests.auth
import schemathesis

CREDENTIALS = botocore.credentials.Credentials(
    os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
)


class Signature(requests.auth.AuthBase):
    def __call__(self, prepared):
        request = botocore.awsrequest.AWSRequest(
            method=prepared.method, url=prepared.url, data=prepared.body or b""
        )
        botocore.auth.SigV4Auth(CREDENTIALS, "inspector2", "us-east-1").add_auth(request)
        prepared.headers.update(dict(request.headers.items()))
        return prepared


schemathesis.auth.set_from_requests(Signature())


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every second question is about something that is there."""
    asked = str((path_parameters or {}).get("id", ""))
    if asked and sum(map(ord, asked)) % 2:
        kind = context.operation.path.split("/")[2]
        known = {"findings": "FINDING", "filters": "FILTER"}.get(kind, "RESOURCE")
        path_parameters["id"] = os.environ["TENKEN_" + known]
    return path_parameters
