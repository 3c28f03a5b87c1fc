// Headless: no editor, no HTTP nodes.
module.exports = {
    flowFile: "flows.json",
    httpAdminRoot: false,
    httpNodeRoot: false,
    diagnostics: { enabled: false },
    runtimeState: { enabled: false },
    logging: { console: { level: "warn", metrics: false, audit: false } },
};
