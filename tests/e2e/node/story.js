// The AWS SDK for JavaScript against the server: prints as JSON what it got. The environment has
// the endpoint, the keys and the certificate.
const sdk = require("@aws-sdk/client-inspector2");

async function main() {
  const client = new sdk.Inspector2Client({ maxAttempts: 1 });
  const out = {};

  const status = await client.send(new sdk.BatchGetAccountStatusCommand({}));
  out.account = status.accounts[0].accountId;

  out.findings = [];
  const criteria = {
    findingStatus: [{ comparison: "EQUALS", value: "ACTIVE" }],
    resourceId: [{ comparison: "EQUALS", value: process.argv[2] }],
  };
  const pages = sdk.paginateListFindings({ client }, { filterCriteria: criteria });
  for await (const page of pages)
    for (const one of page.findings) {
      if (!(one.firstObservedAt instanceof Date)) throw new Error("no date: " + one.findingArn);
      out.findings.push(one.packageVulnerabilityDetails.vulnerabilityId);
    }

  const coverage = await client.send(new sdk.ListCoverageCommand({}));
  out.covered = coverage.coveredResources.map((one) => one.resourceId);

  try {
    await client.send(new sdk.DeleteFilterCommand({ arn: process.argv[3] }));
  } catch (error) {
    out.error = {
      name: error.name,
      status: error.$metadata.httpStatusCode,
      known: error instanceof sdk.ResourceNotFoundException,
    };
  }
  console.log(JSON.stringify(out));
}

main();
