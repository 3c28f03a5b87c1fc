/** What the API takes and gives. Made by `make client` of its description 6de7393b9b811a14, as c2a369a7b8f256af. */

export interface paths {
    alerts: {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    state?: ("pending" | "active" | "acknowledged" | "returned" | "shelved" | "suppressed" | "closed")[] | null;
                    ward?: string | null;
                    stay?: string | null;
                    since?: string | null;
                    cursor?: string | null;
                    limit?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Alert_"];
                    };
                };
            };
        };
    };
    "alerts/delays": {
        parameters: {
        };
        get: {
            parameters: {
                query: {
                    since: string;
                    until?: string | null;
                    ward?: string | null;
                    format?: "json" | "csv";
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Delays"];
                    };
                };
            };
        };
    };
    "alerts/{alert}": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    alert: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["AlertWithLog"];
                    };
                };
            };
        };
    };
    "alerts/{alert}/acknowledge": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    alert: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Acknowledge"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Alert"];
                    };
                };
            };
        };
    };
    "alerts/{alert}/assess": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    alert: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Assess"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Alert"];
                    };
                };
            };
        };
    };
    "alerts/{alert}/hand-over": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    alert: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["HandOver"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Alert"];
                    };
                };
            };
        };
    };
    "alerts/{alert}/shelve": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    alert: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Shelve"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Alert"];
                    };
                };
            };
        };
    };
    "alerts/{alert}/undo": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    alert: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Alert"];
                    };
                };
            };
        };
    };
    "alerts/{alert}/unshelve": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    alert: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Alert"];
                    };
                };
            };
        };
    };
    audit: {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    stay?: string | null;
                    actor?: string | null;
                    action?: string | null;
                    start?: string | null;
                    end?: string | null;
                    cursor?: string | null;
                    limit?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_AuditLine_"];
                    };
                };
            };
        };
    };
    "audit/verify": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    lines?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Verdict"];
                    };
                };
            };
        };
    };
    channels: {
        parameters: {
        };
        get: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Channel_"];
                    };
                };
            };
        };
    };
    "channels/test": {
        parameters: {
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewTest"];
                };
            };
            responses: {
                202: {
                    content: {
                        "application/json": components["schemas"]["Tests"];
                    };
                };
            };
        };
    };
    "channels/tests": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    cursor?: string | null;
                    limit?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Test_"];
                    };
                };
            };
        };
    };
    "channels/tests/{id}/seen": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    id: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Test"];
                    };
                };
            };
        };
    };
    "dead-letters": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    reason?: string | null;
                    device?: string | null;
                    cursor?: string | null;
                    limit?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_DeadLetter_"];
                    };
                };
            };
        };
    };
    devices: {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    cursor?: string | null;
                    limit?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Device_"];
                    };
                };
            };
        };
    };
    "devices/credentials": {
        parameters: {
        };
        get: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Credential_"];
                    };
                };
            };
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewCredential"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["CreatedCredential"];
                    };
                };
            };
        };
    };
    "devices/credentials/{credential}": {
        parameters: {
        };
        delete: {
            parameters: {
                path: {
                    credential: string;
                };
            };
            responses: {
                204: {
                };
            };
        };
    };
    "devices/credentials/{credential}/rotate": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    credential: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["CreatedCredential"];
                    };
                };
            };
        };
    };
    "devices/unassigned": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    cursor?: string | null;
                    limit?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Device_"];
                    };
                };
            };
        };
    };
    drafts: {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    state?: ("proposed" | "approved" | "rejected" | "withdrawn" | "applied" | "returned")[] | null;
                    ward?: string | null;
                    cursor?: string | null;
                    limit?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_DraftShort_"];
                    };
                };
            };
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewDraft"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["Draft"];
                    };
                };
            };
        };
    };
    "drafts/{draft}": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    draft: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Draft"];
                    };
                };
            };
        };
    };
    "drafts/{draft}/apply": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    draft: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DraftWord"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Draft"];
                    };
                };
            };
        };
    };
    "drafts/{draft}/approve": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    draft: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DraftWord"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Draft"];
                    };
                };
            };
        };
    };
    "drafts/{draft}/comment": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    draft: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DraftComment"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Draft"];
                    };
                };
            };
        };
    };
    "drafts/{draft}/reject": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    draft: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DraftWord"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Draft"];
                    };
                };
            };
        };
    };
    "drafts/{draft}/return": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    draft: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DraftWord"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Draft"];
                    };
                };
            };
        };
    };
    "drafts/{draft}/withdraw": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    draft: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DraftWord"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Draft"];
                    };
                };
            };
        };
    };
    events: {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    form?: "views" | "changes";
                };
            };
            responses: {
                200: {
                };
            };
        };
    };
    health: {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    minutes?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Health"];
                    };
                };
            };
        };
    };
    "notices/shown": {
        parameters: {
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Shown-Input"];
                };
            };
            responses: {
                204: {
                };
            };
        };
    };
    packs: {
        parameters: {
        };
        get: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_PackShort_"];
                    };
                };
            };
        };
    };
    "packs/check": {
        parameters: {
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PackText"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["CheckedPack"];
                    };
                };
            };
        };
    };
    "packs/{pack}": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                };
                path: {
                    pack: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Pack"];
                    };
                };
            };
        };
    };
    recordings: {
        parameters: {
        };
        get: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Recording_"];
                    };
                };
            };
        };
        post: {
            parameters: {
                query: {
                    name: string;
                };
            };
            requestBody: {
                content: {
                    "*/*"?: never;
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["Recording"];
                    };
                };
            };
        };
    };
    "recordings/{recording}": {
        parameters: {
        };
        delete: {
            parameters: {
                path: {
                    recording: string;
                };
            };
            responses: {
                204: {
                };
            };
        };
    };
    "recordings/{recording}/vitals": {
        parameters: {
        };
        get: {
            parameters: {
                query: {
                    stay: string;
                    start: number;
                    end: number;
                    signal?: string[] | null;
                    resolution?: string | null;
                };
                path: {
                    recording: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Vitals"];
                    };
                };
            };
        };
    };
    "reports/drift": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Drift"];
                    };
                };
            };
        };
    };
    "reports/rules": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    start?: string | null;
                    end?: string | null;
                    group?: "none" | "ward" | "week";
                    zone?: string | null;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["RuleReport"];
                    };
                };
            };
        };
    };
    "reports/rules.csv": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    start?: string | null;
                    end?: string | null;
                    group?: "none" | "ward" | "week";
                    zone?: string | null;
                };
            };
            responses: {
                200: {
                };
            };
        };
    };
    "reports/week.pdf": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    start?: string | null;
                    end?: string | null;
                    zone?: string | null;
                    lang?: ("da" | "en" | "nb") | null;
                };
            };
            responses: {
                200: {
                };
            };
        };
    };
    rules: {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    stay?: string | null;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Rule_"];
                    };
                };
            };
        };
    };
    "rules/trial": {
        parameters: {
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TrialRequest"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["TrialAnswer"];
                    };
                };
            };
        };
    };
    "rules/{rule}": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    stay?: string | null;
                };
                path: {
                    rule: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Rule"];
                    };
                };
            };
        };
        put: {
            parameters: {
                query?: {
                    ward?: string | null;
                    stay?: string | null;
                };
                path: {
                    rule: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["RuleChange"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Rule"];
                    };
                };
            };
        };
        delete: {
            parameters: {
                query: {
                    stay: string;
                };
                path: {
                    rule: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Rule"];
                    };
                };
            };
        };
    };
    "rules/{rule}/history": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    stay?: string | null;
                };
                path: {
                    rule: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_RuleVersion_"];
                    };
                };
            };
        };
    };
    session: {
        parameters: {
        };
        get: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Who"];
                    };
                };
            };
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Login"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["Who"];
                    };
                };
            };
        };
        delete: {
            parameters: {
            };
            responses: {
                204: {
                };
            };
        };
    };
    "session/password": {
        parameters: {
        };
        put: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ChangedPassword"];
                };
            };
            responses: {
                204: {
                };
            };
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewPassword"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["Who"];
                    };
                };
            };
        };
    };
    "session/ways": {
        parameters: {
        };
        get: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Ways"];
                    };
                };
            };
        };
    };
    sessions: {
        parameters: {
        };
        get: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_OpenSession_"];
                    };
                };
            };
        };
        delete: {
            parameters: {
            };
            responses: {
                204: {
                };
            };
        };
    };
    "sessions/{session}": {
        parameters: {
        };
        delete: {
            parameters: {
                path: {
                    session: string;
                };
            };
            responses: {
                204: {
                };
            };
        };
    };
    simulator: {
        parameters: {
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Practice"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["Simulator"];
                    };
                };
            };
        };
        delete: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Simulator"];
                    };
                };
            };
        };
    };
    sounds: {
        parameters: {
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Sounds"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["SoundsOf"];
                    };
                };
            };
        };
    };
    stays: {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                    state?: "open" | "all";
                    cursor?: string | null;
                    limit?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Stay_"];
                    };
                };
            };
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Admission"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["Stay"];
                    };
                };
            };
        };
    };
    "stays/{stay}": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Stay"];
                    };
                };
            };
        };
        patch: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["FlagsChange"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Stay"];
                    };
                };
            };
        };
    };
    "stays/{stay}/devices": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DeviceTaken"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["Stay"];
                    };
                };
            };
        };
        delete: {
            parameters: {
                query?: {
                    device?: string | null;
                };
                path: {
                    stay: string;
                };
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["DeviceChange"] | null;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Stay"];
                    };
                };
            };
        };
    };
    "stays/{stay}/discharge": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Stay"];
                    };
                };
            };
        };
    };
    "stays/{stay}/discharge/undo": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Stay"];
                    };
                };
            };
        };
    };
    "stays/{stay}/erase": {
        parameters: {
        };
        post: {
            parameters: {
                query?: {
                    dry_run?: boolean;
                };
                path: {
                    stay: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Erasure"];
                    };
                };
            };
        };
    };
    "stays/{stay}/events": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    of?: "all" | "stay";
                    cursor?: string | null;
                    limit?: number;
                };
                path: {
                    stay: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_StayLogEntry_"];
                    };
                };
            };
        };
    };
    "stays/{stay}/export": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": Record<string, never>;
                    };
                };
            };
        };
    };
    "stays/{stay}/observations": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Observation"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["Observed"];
                    };
                };
            };
        };
    };
    "stays/{stay}/pause": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Pause"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Stay"];
                    };
                };
            };
        };
    };
    "stays/{stay}/score": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["ScoreView"];
                    };
                };
            };
        };
    };
    "stays/{stay}/transfer": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    stay: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Transfer"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Stay"];
                    };
                };
            };
        };
    };
    "stays/{stay}/vitals": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    signal?: string[] | null;
                    start?: string | null;
                    end?: string | null;
                    resolution?: string | null;
                };
                path: {
                    stay: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Vitals"];
                    };
                };
            };
        };
    };
    tokens: {
        parameters: {
        };
        get: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Token_"];
                    };
                };
            };
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["CreatedToken"];
                    };
                };
            };
        };
    };
    "tokens/{token}": {
        parameters: {
        };
        delete: {
            parameters: {
                path: {
                    token: string;
                };
            };
            responses: {
                204: {
                };
            };
        };
    };
    "tokens/{token}/link": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    token: string;
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["Link"];
                    };
                };
            };
        };
    };
    "trials/history": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    ward?: string | null;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["TrialHistory"];
                    };
                };
            };
        };
    };
    users: {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    cursor?: string | null;
                    limit?: number;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_User_"];
                    };
                };
            };
        };
        post: {
            parameters: {
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewUser"];
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["InvitedUser"];
                    };
                };
            };
        };
    };
    "users/{user}": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    user: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["User"];
                    };
                };
            };
        };
        patch: {
            parameters: {
                path: {
                    user: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["UserChange"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["User"];
                    };
                };
            };
        };
    };
    "users/{user}/pardon": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    user: string;
                };
            };
            responses: {
                204: {
                };
            };
        };
    };
    "users/{user}/reset": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    user: string;
                };
            };
            responses: {
                201: {
                    content: {
                        "application/json": components["schemas"]["InvitedUser"];
                    };
                };
            };
        };
    };
    "users/{user}/sessions": {
        parameters: {
        };
        delete: {
            parameters: {
                path: {
                    user: string;
                };
            };
            responses: {
                204: {
                };
            };
        };
    };
    wards: {
        parameters: {
        };
        get: {
            parameters: {
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_Ward_"];
                    };
                };
            };
        };
    };
    "wards/{ward}/assignments": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    ward: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Assignments"];
                    };
                };
            };
        };
        post: {
            parameters: {
                path: {
                    ward: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Take"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Taken"];
                    };
                };
            };
        };
    };
    "wards/{ward}/assignments/end": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    ward: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["GiveUp"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Taken"];
                    };
                };
            };
        };
    };
    "wards/{ward}/devices": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    bed?: string | null;
                };
                path: {
                    ward: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_DeviceNow_"];
                    };
                };
            };
        };
    };
    "wards/{ward}/devices/{device}": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    ward: string;
                    device: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["DeviceNow"];
                    };
                };
            };
        };
    };
    "wards/{ward}/downtime": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    lang?: ("da" | "en" | "nb") | null;
                };
                path: {
                    ward: string;
                };
            };
            responses: {
                200: {
                };
            };
        };
    };
    "wards/{ward}/duty": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    at?: string | null;
                };
                path: {
                    ward: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Duty"];
                    };
                };
            };
        };
    };
    "wards/{ward}/handover": {
        parameters: {
        };
        get: {
            parameters: {
                query?: {
                    shift?: "current" | "previous";
                    start?: string | null;
                    end?: string | null;
                    format?: ("json" | "pdf") | null;
                    lang?: ("da" | "en" | "nb") | null;
                };
                path: {
                    ward: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Handover"];
                    };
                };
            };
        };
    };
    "wards/{ward}/plan": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    ward: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
            };
        };
        put: {
            parameters: {
                path: {
                    ward: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PlanFields"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
            };
        };
        delete: {
            parameters: {
                path: {
                    ward: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
            };
        };
    };
    "wards/{ward}/plan/check": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    ward: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PlanFields"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Checked"];
                    };
                };
            };
        };
    };
    "wards/{ward}/plan/history": {
        parameters: {
        };
        get: {
            parameters: {
                path: {
                    ward: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Page_PlanVersion_"];
                    };
                };
            };
        };
    };
    "wards/{ward}/plan/preview": {
        parameters: {
        };
        get: {
            parameters: {
                query: {
                    priority: "high" | "medium" | "low";
                    kind?: "physiological" | "technical";
                    rule?: string | null;
                    at?: string | null;
                };
                path: {
                    ward: string;
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["Preview"];
                    };
                };
            };
        };
    };
    "wards/{ward}/plan/read": {
        parameters: {
        };
        post: {
            parameters: {
                path: {
                    ward: string;
                };
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PlanText"];
                };
            };
            responses: {
                200: {
                    content: {
                        "application/json": components["schemas"]["PlanRead"];
                    };
                };
            };
        };
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Acknowledge: {
            assessment?: ("actionable" | "not-actionable" | "artefact") | null;
            note?: string | null;
        };
        Admission: {
            patient_ref: string;
            ward: string;
            bed: string;
            devices?: string[];
            flags?: string[];
        };
        Alert: {
            id: string;
            stay: string | null;
            ward: string | null;
            bed: string | null;
            rule: string;
            title: string;
            titles?: {
                [key: string]: string;
            };
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            /** @enum {string} */
            kind: "physiological" | "technical";
            /** @enum {string} */
            state: "pending" | "active" | "acknowledged" | "returned" | "shelved" | "suppressed" | "closed";
            signal?: string | null;
            value?: number | null;
            breach_since?: string | null;
            raised_at?: string | null;
            announced_at?: string | null;
            acknowledged_at?: string | null;
            acknowledged_by?: string | null;
            assessment?: ("actionable" | "not-actionable" | "artefact") | null;
            note?: string | null;
            handed_over_by?: string | null;
            handed_over_at?: string | null;
            cleared_at?: string | null;
            closed_at?: string | null;
            close_reason?: string | null;
            shelved_until?: string | null;
            shelved_by?: string | null;
            shelve_reason?: string | null;
            suppressed_by?: string | null;
            episode?: string | null;
            late?: boolean;
            undelivered?: components["schemas"]["Undelivered"][];
            signals?: string[];
            left_s?: number | null;
            in_breach?: boolean | null;
        };
        AlertWithLog: {
            id: string;
            stay: string | null;
            ward: string | null;
            bed: string | null;
            rule: string;
            title: string;
            titles?: {
                [key: string]: string;
            };
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            /** @enum {string} */
            kind: "physiological" | "technical";
            /** @enum {string} */
            state: "pending" | "active" | "acknowledged" | "returned" | "shelved" | "suppressed" | "closed";
            signal?: string | null;
            value?: number | null;
            breach_since?: string | null;
            raised_at?: string | null;
            announced_at?: string | null;
            acknowledged_at?: string | null;
            acknowledged_by?: string | null;
            assessment?: ("actionable" | "not-actionable" | "artefact") | null;
            note?: string | null;
            handed_over_by?: string | null;
            handed_over_at?: string | null;
            cleared_at?: string | null;
            closed_at?: string | null;
            close_reason?: string | null;
            shelved_until?: string | null;
            shelved_by?: string | null;
            shelve_reason?: string | null;
            suppressed_by?: string | null;
            episode?: string | null;
            late?: boolean;
            undelivered?: components["schemas"]["Undelivered"][];
            signals?: string[];
            left_s?: number | null;
            in_breach?: boolean | null;
            condition_delay_s?: number | null;
            deliveries?: components["schemas"]["Delivery"][];
            episode_deliveries?: components["schemas"]["Delivery"][];
            log?: components["schemas"]["LogEntry"][];
        };
        Assess: {
            assessment?: ("actionable" | "not-actionable" | "artefact") | null;
            note?: string | null;
        };
        Assessments: {
            actionable: number;
            not_actionable: number;
            artefact: number;
        };
        Assignments: {
            ward: string;
            /** Format: date-time */
            at: string;
            shifts: components["schemas"]["Shift"][];
            items: components["schemas"]["Held"][];
            people: components["schemas"]["Colleague"][];
        };
        AuditLine: {
            seq: number;
            /** Format: date-time */
            at: string;
            actor: string;
            actor_id: string | null;
            role: string | null;
            action: string;
            object: string | null;
            stay?: string | null;
            ward?: string | null;
            /** @enum {string} */
            outcome: "asked" | "done" | "refused" | "failed";
            /** @enum {string} */
            source: "web" | "cli" | "system";
            detail: {
                [key: string]: unknown;
            };
            previous: string;
            hash: string;
        };
        Backup: {
            /** Format: date-time */
            at: string;
            bytes: number;
        };
        Bed: {
            bed: string;
            stay?: string | null;
        };
        BedLoad: {
            ward: string;
            bed: string;
            patients: number;
            alerts: number;
            interruptions: number;
        };
        Broker: {
            url: string;
            connected: boolean;
            said?: string | null;
            last_message_age_s?: number | null;
            topics: string[];
            /** @enum {string} */
            devices: "open" | "known" | "signed";
        };
        CandidateRule: {
            id: string;
            title?: string | null;
            titles?: {
                [key: string]: string;
            } | null;
            priority?: ("high" | "medium" | "low") | null;
            kind?: ("physiological" | "technical") | null;
            when?: string[] | null;
            for?: string | null;
            within?: string | null;
            gap?: string | null;
            min_readings?: number | null;
            clear_when?: string[] | null;
            clear_for?: string | null;
            unless?: string[] | null;
            inhibits?: string[] | null;
            evidence?: string | null;
            until?: string | null;
            why?: string | null;
        };
        Carer: {
            person: string;
            name: string;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until: string;
        };
        CarerBefore: {
            name: string;
            /** Format: date-time */
            until: string;
            reason: string;
        };
        Caution: {
            /** @enum {string} */
            kind: "not-asked" | "no-time" | "part-of-time";
            since?: string | null;
        };
        ChangedPassword: {
            current: string;
            password: string;
        };
        Channel: {
            name: string;
            /** @enum {string} */
            kind: "dashboard" | "webhook" | "mqtt" | "apprise";
            /** @enum {string} */
            detail: "bed" | "none";
            give_up_s: number | null;
            broken_since: string | null;
            last_sent_at: string | null;
            last_error: string | null;
            last_error_at: string | null;
            waiting: number;
            last_test: components["schemas"]["Test"] | null;
            last_failure: components["schemas"]["Failure"] | null;
        };
        Checked: {
            holes: components["schemas"]["Gap"][];
            remarks: string[];
        };
        CheckedPack: {
            pack?: components["schemas"]["Pack"] | null;
            problems: components["schemas"]["PackProblem"][];
        };
        Colleague: {
            person: string;
            name: string;
            on_duty: boolean | null;
        };
        Contribution: {
            group: string;
            log_odds: number;
            words: string;
            seen?: components["schemas"]["Seen"] | null;
        };
        CreatedCredential: {
            id: string;
            user: string;
            speaks_for: string[];
            hears: string[];
            signed: boolean;
            /** Format: date-time */
            created_at: string;
            rotated_at?: string | null;
            forged?: number;
            forged_at?: string | null;
            password: string;
            key: string;
            example: string;
            unreloaded?: string | null;
        };
        CreatedToken: {
            id: string;
            name: string;
            /** @enum {string} */
            role: "nurse" | "clinician" | "admin" | "integration" | "kiosk";
            wards?: string[] | null;
            scopes?: string[] | null;
            /** Format: date-time */
            created_at: string;
            expires_at?: string | null;
            revoked_at?: string | null;
            token: string;
        };
        Credential: {
            id: string;
            user: string;
            speaks_for: string[];
            hears: string[];
            signed: boolean;
            /** Format: date-time */
            created_at: string;
            rotated_at?: string | null;
            forged?: number;
            forged_at?: string | null;
        };
        Curve: {
            name: string;
            unit: string;
            values: (number | null)[];
        };
        Database: {
            kind: string;
            bytes: number;
        };
        DeadLetter: {
            id: number;
            /** Format: date-time */
            received_at: string;
            topic: string;
            reason: string;
            detail: string;
            payload: string;
            ward?: string | null;
            device?: string | null;
        };
        Delay: {
            alert: string;
            ward: string | null;
            bed: string | null;
            rule: string;
            priority: string;
            kind: string;
            late: boolean;
            breach_since: string | null;
            raised_at: string | null;
            announced_at: string | null;
            condition_delay_s: number | null;
            reason: string | null;
            level: number | null;
            person: string | null;
            channel: string | null;
            state: string | null;
            sent_at: string | null;
            signal_delay_s: number | null;
        };
        Delays: {
            items: components["schemas"]["Delay"][];
        };
        Delivery: {
            id: number;
            reason: string;
            level: number;
            person: string;
            name: string;
            channel: string;
            /** @enum {string} */
            state: "waiting" | "sent" | "failed" | "dropped";
            /** Format: date-time */
            created_at: string;
            sent_at?: string | null;
            signal_delay_s?: number | null;
            attempts: number;
            shown_by?: string | null;
            error?: string | null;
        };
        Device: {
            id: string;
            ward: string;
            device: string;
            stay?: string | null;
            online?: boolean | null;
            session?: string | null;
            first_seen_at?: string | null;
            last_seen_at?: string | null;
            last_time?: string | null;
            offset_s?: number | null;
            intervals?: {
                [key: string]: number;
            };
            readings?: number;
            duplicates?: number;
        };
        DeviceChange: {
            device: string;
        };
        DeviceNow: {
            ward: string;
            device: string;
            known: boolean;
            stay?: string | null;
            bed?: string | null;
            online?: boolean | null;
            last_seen_at?: string | null;
            offset_s?: number | null;
            last_bed?: string | null;
            last_until?: string | null;
            elsewhere: string[];
            signals: {
                [key: string]: components["schemas"]["Shown-Output"];
            };
        };
        DeviceTaken: {
            device: string;
            from_stay?: string | null;
        };
        Doubted: {
            time: string[];
            min: number[];
            max: number[];
            count: number[];
        };
        Draft: {
            id: string;
            title: string;
            why?: string | null;
            scope: string;
            /** @enum {string} */
            state: "proposed" | "approved" | "rejected" | "withdrawn" | "applied" | "returned";
            by: string;
            /** Format: date-time */
            at: string;
            approved_by?: string | null;
            approved_at?: string | null;
            changes: components["schemas"]["DraftChange"][];
            trial?: {
                [key: string]: unknown;
            } | null;
            conflicts: components["schemas"]["DraftConflict"][];
            second_person: components["schemas"]["SecondPerson"];
            may: ("comment" | "approve" | "reject" | "withdraw" | "apply" | "return")[];
            log: components["schemas"]["DraftLine"][];
        };
        DraftChange: {
            rule: string;
            base?: {
                [key: string]: unknown;
            } | null;
            change: {
                [key: string]: unknown;
            };
            after?: {
                [key: string]: unknown;
            } | null;
        };
        DraftComment: {
            text: string;
        };
        DraftConflict: {
            rule: string;
            now?: {
                [key: string]: unknown;
            } | null;
        };
        DraftLine: {
            /** Format: date-time */
            at: string;
            by: string;
            /** @enum {string} */
            kind: "propose" | "comment" | "approve" | "reject" | "withdraw" | "apply" | "return";
            text?: string | null;
        };
        DraftRule: {
            id: string;
            title?: string | null;
            titles?: {
                [key: string]: string;
            } | null;
            priority?: ("high" | "medium" | "low") | null;
            kind?: ("physiological" | "technical") | null;
            when?: string[] | null;
            for?: string | null;
            within?: string | null;
            gap?: string | null;
            min_readings?: number | null;
            clear_when?: string[] | null;
            clear_for?: string | null;
            unless?: string[] | null;
            inhibits?: string[] | null;
            evidence?: string | null;
            until?: string | null;
            why?: string | null;
            retired?: true | null;
        };
        DraftShort: {
            id: string;
            title: string;
            why?: string | null;
            scope: string;
            /** @enum {string} */
            state: "proposed" | "approved" | "rejected" | "withdrawn" | "applied" | "returned";
            by: string;
            /** Format: date-time */
            at: string;
            approved_by?: string | null;
            approved_at?: string | null;
            changes: components["schemas"]["DraftChange"][];
        };
        DraftWord: {
            text?: string | null;
        };
        Drift: {
            items: components["schemas"]["WardDrift"][];
        };
        Duty: {
            ward: string;
            /** Format: date-time */
            at: string;
            shifts: components["schemas"]["Running"][];
            teams: components["schemas"]["TeamOnDuty"][];
        };
        Erasure: {
            stay: string;
            erased_at: string | null;
            by: string | null;
            rows: {
                [key: string]: number;
            };
        };
        Failure: {
            /** Format: date-time */
            at: string;
            ward: string;
            error: string | null;
        };
        Finding: {
            what: string;
            /** @enum {string} */
            aspect: "value" | "known" | "load";
            days: number;
            reference: number;
            now: number;
            chance: number;
            size: number;
            psi?: number | null;
            differs: boolean;
            lasting: boolean;
            words: string;
        };
        FlagsChange: {
            flags: string[];
        };
        Gap: {
            team: string;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until: string;
            text: string;
        };
        GiveUp: {
            stays: string[];
        };
        GroupLoad: {
            patient_days: number;
            stays: number;
            alerts: number;
            alerts_per_patient_day?: number | null;
            interruptions: number;
            interruptions_per_patient_day?: number | null;
            repeats: number;
            assessed: number;
            assessments: components["schemas"]["Assessments"];
            top_tenth_share?: number | null;
            group?: string | null;
        };
        HandOver: {
            to: string;
            note?: string | null;
        };
        HandedAlert: {
            id: string;
            rule: string;
            title: string;
            titles: {
                [key: string]: string;
            };
            priority: string;
            kind: string;
            state: string;
            raised_at: string | null;
            over_at: string | null;
            by: string | null;
            assessment: string | null;
            shelved_until: string | null;
            note: string | null;
        };
        HandedChange: {
            /** Format: date-time */
            at: string;
            kind: string;
            by: string | null;
            detail: {
                [key: string]: unknown;
            };
        };
        HandedLimit: {
            rule: string;
            title: string;
            titles: {
                [key: string]: string;
            };
            when: string[];
            for: string;
            usual: string | null;
            usual_titles: {
                [key: string]: string;
            };
            by: string | null;
            at: string | null;
            until: string | null;
        };
        HandedPatient: {
            stay: string;
            bed: string;
            patient_ref: string;
            flags: string[];
            /** Format: date-time */
            admitted_at: string;
            discharged_at: string | null;
            carer: components["schemas"]["Carer"] | null;
            paused_until: string | null;
            paused_reason: string | null;
            paused_by: string | null;
            had: components["schemas"]["Spell"][];
            news2: components["schemas"]["Scores"];
            open: components["schemas"]["HandedAlert"][];
            over: components["schemas"]["HandedAlert"][];
            raised: {
                [key: string]: number;
            };
            changes: components["schemas"]["HandedChange"][];
            limits: components["schemas"]["HandedLimit"][];
        };
        Handover: {
            ward: string;
            shift: string | null;
            /** Format: date-time */
            start: string;
            /** Format: date-time */
            end: string;
            /** Format: date-time */
            made_at: string;
            nobody: string[];
            patients: components["schemas"]["HandedPatient"][];
        };
        Health: {
            /** Format: date-time */
            time: string;
            /** Format: date-time */
            started_at: string;
            version: string;
            ready: boolean;
            live: boolean;
            reasons: string[];
            warnings: string[];
            pack: string;
            speed: number;
            parts: components["schemas"]["ward__web__schemas__health__Part"][];
            broker: components["schemas"]["Broker"];
            channels_failing: string[];
            database: components["schemas"]["Database"];
            backup: components["schemas"]["Backup"] | null;
            administrator: boolean;
            simulator: components["schemas"]["Simulator"];
            times: string[];
            series: components["schemas"]["Curve"][];
        };
        Held: {
            stay: string;
            bed: string;
            carer: components["schemas"]["Carer"] | null;
            carer_before: components["schemas"]["CarerBefore"] | null;
        };
        HourLoad: {
            hour: number;
            alerts: number;
            interruptions: number;
        };
        InvitedUser: {
            id: string;
            login: string;
            name: string;
            /** @enum {string} */
            role: "nurse" | "clinician" | "admin";
            wards?: string[] | null;
            /** Format: date-time */
            created_at: string;
            disabled_at?: string | null;
            has_password: boolean;
            password_changed_at?: string | null;
            sessions?: number;
            last_seen_at?: string | null;
            locked_until?: string | null;
            issuer?: string | null;
            code: string;
            /** Format: date-time */
            code_expires_at: string;
        };
        Judgement: {
            /** @enum {string} */
            kind: "not-assessed" | "too-few" | "too-few-patients" | "mostly-actionable" | "mostly-artefact" | "mostly-not-actionable" | "rarely-actionable" | "uncertain";
            low?: number | null;
            high?: number | null;
        };
        Latest: {
            value: number | string | boolean | null;
            unit: string;
            /** Format: date-time */
            time: string;
            /** @enum {string} */
            state: "fresh" | "stale" | "questionable";
            device?: string | null;
            reason?: string | null;
            hold_s: number;
            trend?: ("rising" | "steady" | "falling") | null;
        };
        Link: {
            path: string;
            /** Format: date-time */
            expires_at: string;
        };
        LogEntry: {
            seq: number;
            /** Format: date-time */
            at: string;
            stay?: string | null;
            ward?: string | null;
            alert?: string | null;
            kind: string;
            by?: string | null;
            before?: unknown;
            after?: unknown;
            detail?: unknown;
            notify?: string | null;
        };
        Login: {
            login?: string | null;
            password?: string | null;
            token?: string | null;
        };
        NewCredential: {
            user: string;
            speaks_for?: string[];
            hears?: string[];
            signed?: boolean;
        };
        NewDraft: {
            title: string;
            why?: string | null;
            scope: string;
            trial?: string | null;
            rules?: components["schemas"]["DraftRule"][] | null;
            seen?: Record<string, never> | null;
        };
        NewPassword: {
            code: string;
            password: string;
        };
        NewTest: {
            ward: string;
            channel?: string | null;
        };
        NewToken: {
            name: string;
            /** @enum {string} */
            role: "nurse" | "clinician" | "admin" | "integration" | "kiosk";
            wards?: string[] | null;
            scopes?: ("read" | "read:alerts" | "read:vitals" | "read:rules" | "read:devices" | "events" | "write:observations" | "admit" | "monitor")[] | null;
            expires_at?: string | null;
        };
        NewUser: {
            login: string;
            name: string;
            /** @enum {string} */
            role: "nurse" | "clinician" | "admin";
            wards?: string[] | null;
        };
        News2: {
            score: number | null;
            risk?: ("low" | "low-medium" | "medium" | "high") | null;
            partial: boolean;
            missing: string[];
            stale: string[];
            /** @enum {integer} */
            scale: 1 | 2;
            parts: {
                [key: string]: components["schemas"]["ward__web__schemas__stays__Part"];
            };
            not_applicable?: ("under-16" | "pregnant") | null;
        };
        Observation: {
            time?: string | null;
            consciousness?: ("A" | "C" | "V" | "P" | "U") | null;
            oxygen?: boolean | null;
            hr?: number | null;
            pr?: number | null;
            spo2?: number | null;
            rr?: number | null;
            sbp?: number | null;
            dbp?: number | null;
            map?: number | null;
            temp?: number | null;
            pi?: number | null;
        };
        Observed: {
            stay: string;
            /** Format: date-time */
            time: string;
            by: string;
            consciousness?: ("A" | "C" | "V" | "P" | "U") | null;
            oxygen?: boolean | null;
            hr?: number | null;
            pr?: number | null;
            spo2?: number | null;
            rr?: number | null;
            sbp?: number | null;
            dbp?: number | null;
            map?: number | null;
            temp?: number | null;
            pi?: number | null;
        };
        OpenSession: {
            id: string;
            current: boolean;
            method: string;
            agent?: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            last_seen_at: string;
            /** Format: date-time */
            expires_at: string;
        };
        OwnLimit: {
            rule: string;
            title: string;
            titles: {
                [key: string]: string;
            };
            by: string;
            until: string | null;
        };
        Pack: {
            id: string;
            title: string;
            source: string;
            rules: components["schemas"]["PackRule"][];
            toml: string;
        };
        PackProblem: {
            rule?: string | null;
            field?: string | null;
            found: string;
            allowed: string;
            line?: number | null;
        };
        PackRule: {
            id: string;
            title: string;
            titles?: {
                [key: string]: string;
            };
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            /** @enum {string} */
            kind: "physiological" | "technical";
            when: string[];
            for: string;
            within?: string | null;
            gap?: string | null;
            min_readings?: number;
            clear_when?: string[];
            clear_for: string;
            unless?: string[];
            inhibits?: string[];
            evidence?: string;
        };
        PackShort: {
            id: string;
            title: string;
            source: string;
            rules: number;
            started_with: boolean;
        };
        PackText: {
            toml: string;
        };
        Page_Alert_: {
            items: components["schemas"]["Alert"][];
            next?: string | null;
        };
        Page_AuditLine_: {
            items: components["schemas"]["AuditLine"][];
            next?: string | null;
        };
        Page_Channel_: {
            items: components["schemas"]["Channel"][];
            next?: string | null;
        };
        Page_Credential_: {
            items: components["schemas"]["Credential"][];
            next?: string | null;
        };
        Page_DeadLetter_: {
            items: components["schemas"]["DeadLetter"][];
            next?: string | null;
        };
        Page_DeviceNow_: {
            items: components["schemas"]["DeviceNow"][];
            next?: string | null;
        };
        Page_Device_: {
            items: components["schemas"]["Device"][];
            next?: string | null;
        };
        Page_DraftShort_: {
            items: components["schemas"]["DraftShort"][];
            next?: string | null;
        };
        Page_OpenSession_: {
            items: components["schemas"]["OpenSession"][];
            next?: string | null;
        };
        Page_PackShort_: {
            items: components["schemas"]["PackShort"][];
            next?: string | null;
        };
        Page_PlanVersion_: {
            items: components["schemas"]["PlanVersion"][];
            next?: string | null;
        };
        Page_Recording_: {
            items: components["schemas"]["Recording"][];
            next?: string | null;
        };
        Page_RuleVersion_: {
            items: components["schemas"]["RuleVersion"][];
            next?: string | null;
        };
        Page_Rule_: {
            items: components["schemas"]["Rule"][];
            next?: string | null;
        };
        Page_StayLogEntry_: {
            items: components["schemas"]["StayLogEntry"][];
            next?: string | null;
        };
        Page_Stay_: {
            items: components["schemas"]["Stay"][];
            next?: string | null;
        };
        Page_Test_: {
            items: components["schemas"]["Test"][];
            next?: string | null;
        };
        Page_Token_: {
            items: components["schemas"]["Token"][];
            next?: string | null;
        };
        Page_User_: {
            items: components["schemas"]["User"][];
            next?: string | null;
        };
        Page_Ward_: {
            items: components["schemas"]["Ward"][];
            next?: string | null;
        };
        Pause: {
            minutes: number;
            reason?: string | null;
        };
        Pending: {
            id: string;
            rule: string;
            title: string;
            titles?: {
                [key: string]: string;
            };
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            /** @enum {string} */
            kind: "physiological" | "technical";
            /** @enum {string} */
            state: "pending" | "suppressed";
            /** Format: date-time */
            since: string;
            left_s?: number | null;
            due_at?: string | null;
            held_by?: "pause" | null;
            signal?: string | null;
            value?: number | null;
        };
        Plan: {
            ward: string;
            /** @enum {string} */
            source: "ward" | "default";
            version: number;
            by?: string | null;
            at?: string | null;
            definition: components["schemas"]["PlanFields"];
            text?: string | null;
            remarks?: string[];
        };
        PlanFields: {
            timezone: string;
            give_up?: string | null;
            test_each_shift?: boolean | null;
            quiet?: components["schemas"]["PlanQuiet"] | null;
            person?: components["schemas"]["PlanPerson"][] | null;
            team?: components["schemas"]["PlanTeam"][] | null;
            shift?: components["schemas"]["PlanShift"][] | null;
            roster?: components["schemas"]["PlanRoster"][] | null;
            route?: components["schemas"]["PlanRoute"][] | null;
        };
        PlanLevel: {
            after?: string | null;
            tell: string[];
            channels?: string[] | null;
        };
        PlanPerson: {
            id: string;
            name?: string | null;
            address?: Record<string, never> | null;
        };
        PlanQuiet: {
            from: string;
            to: string;
            priority?: ("medium" | "low")[] | null;
        };
        PlanRead: {
            holes: components["schemas"]["Gap"][];
            remarks: string[];
            definition: components["schemas"]["PlanFields"];
            steps: components["schemas"]["Step"][];
        };
        PlanRoster: {
            team: string;
            shift: string;
            people: string[];
            date?: string | null;
            days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[] | null;
        };
        PlanRoute: {
            kind?: ("physiological" | "technical") | null;
            priority?: ("high" | "medium" | "low")[] | null;
            rules?: string[] | null;
            level: components["schemas"]["PlanLevel"][];
            remind?: string | null;
            remind_at_most?: number | null;
        };
        PlanShift: {
            id: string;
            name?: string | null;
            from: string;
            to: string;
            days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[] | null;
        };
        PlanTeam: {
            id: string;
            name?: string | null;
            people: string[];
        };
        PlanText: {
            text: string;
            /** @enum {string} */
            priority?: "high" | "medium" | "low";
            /** @enum {string} */
            kind?: "physiological" | "technical";
            at?: string | null;
        };
        PlanVersion: {
            ward: string;
            version: number;
            by: string;
            /** Format: date-time */
            at: string;
            definition?: components["schemas"]["PlanFields"] | null;
        };
        Practice: {
            beds?: number;
        };
        Present: {
            id: string;
            name: string;
        };
        Preview: {
            ward: string;
            /** Format: date-time */
            at: string;
            /** @enum {string} */
            kind: "physiological" | "technical";
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            steps: components["schemas"]["Step"][];
        };
        PriorityLoad: {
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            alerts: number;
            alerts_per_patient_day?: number | null;
            interruptions: number;
            interruptions_per_patient_day?: number | null;
            time_to_acknowledge_s?: components["schemas"]["Spread"] | null;
        };
        Recording: {
            id: string;
            name: string;
            size: number;
            brought: boolean;
            until: string | null;
        };
        Reference: {
            /** Format: date-time */
            start: string;
            /** Format: date-time */
            end: string;
            by?: string | null;
            patients?: number | null;
        };
        Risk: {
            /** @enum {string} */
            state: "known" | "not-enough-data" | "no-model" | "not-applicable";
            value?: number | null;
            low?: number | null;
            high?: number | null;
            above?: number | null;
            computed_at?: string | null;
            age_s?: number | null;
            model?: string | null;
            missing?: string[];
            contributions?: components["schemas"]["Contribution"][];
        };
        Rule: {
            id: string;
            title: string;
            titles?: {
                [key: string]: string;
            };
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            /** @enum {string} */
            kind: "physiological" | "technical";
            when: string[];
            for: string;
            within?: string | null;
            gap?: string | null;
            min_readings?: number;
            clear_when?: string[];
            clear_for: string;
            unless?: string[];
            inhibits?: string[];
            evidence?: string;
            scope: string;
            version: number;
            by?: string | null;
            at?: string | null;
            until?: string | null;
        };
        RuleChange: {
            id?: string | null;
            title?: string | null;
            titles?: {
                [key: string]: string;
            } | null;
            priority?: ("high" | "medium" | "low") | null;
            kind?: ("physiological" | "technical") | null;
            when?: string[] | null;
            for?: string | null;
            within?: string | null;
            gap?: string | null;
            min_readings?: number | null;
            clear_when?: string[] | null;
            clear_for?: string | null;
            unless?: string[] | null;
            inhibits?: string[] | null;
            evidence?: string | null;
            until?: string | null;
            why?: string | null;
        };
        RuleFigures: {
            rule: string;
            title: string;
            titles?: {
                [key: string]: string;
            };
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            kind?: ("physiological" | "technical") | null;
            group?: string | null;
            alerts: number;
            alerts_per_patient_day?: number | null;
            share_of_alerts?: number | null;
            interruptions: number;
            interruptions_per_patient_day?: number | null;
            share_of_interruptions?: number | null;
            repeats: number;
            patients: number;
            top_tenth_share?: number | null;
            assessed: number;
            assessed_share?: number | null;
            assessed_patients: number;
            actionable: components["schemas"]["Share"];
            not_actionable: components["schemas"]["Share"];
            artefact: components["schemas"]["Share"];
            verdict: string;
            judgement: components["schemas"]["Judgement"];
            estimate?: number | null;
            acknowledged: number;
            time_to_acknowledge_s?: components["schemas"]["Spread"] | null;
            condition_delay_s?: components["schemas"]["Spread"] | null;
            signal_delay_s?: components["schemas"]["Spread"] | null;
            time_in_alert_s: number;
            time_in_alert_share?: number | null;
        };
        RuleReport: {
            patient_days: number;
            stays: number;
            alerts: number;
            alerts_per_patient_day?: number | null;
            interruptions: number;
            interruptions_per_patient_day?: number | null;
            repeats: number;
            assessed: number;
            assessments: components["schemas"]["Assessments"];
            top_tenth_share?: number | null;
            /** Format: date-time */
            start: string;
            /** Format: date-time */
            end: string;
            zone: string;
            notes: string[];
            cautions: components["schemas"]["Caution"][];
            priorities: components["schemas"]["PriorityLoad"][];
            hours: components["schemas"]["HourLoad"][];
            beds: components["schemas"]["BedLoad"][];
            groups: components["schemas"]["GroupLoad"][];
            rules: components["schemas"]["RuleFigures"][];
        };
        RuleVersion: {
            rule_id: string;
            scope: string;
            version: number;
            definition: {
                [key: string]: unknown;
            };
            by: string;
            /** Format: date-time */
            at: string;
            retired?: boolean;
            follows?: boolean;
            draft?: string | null;
            proposed_by?: string | null;
            approved_by?: string | null;
            why?: string | null;
            until?: string | null;
        };
        Running: {
            id: string;
            name: string;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until: string;
        };
        ScoreThen: {
            score: number | null;
            risk: string | null;
            partial: boolean;
            not_applicable: string | null;
        };
        ScoreView: {
            stay: string;
            /** Format: date-time */
            time: string;
            news2?: components["schemas"]["News2"] | null;
            risk: components["schemas"]["Risk"];
        };
        Scores: {
            then: components["schemas"]["ScoreThen"] | null;
            now: components["schemas"]["ScoreThen"] | null;
        };
        Screen: {
            name: string;
            /** Format: date-time */
            at: string;
        };
        SecondPerson: {
            required: boolean;
            others: number;
        };
        Seen: {
            signal: string;
            /** @enum {string} */
            course: "rose" | "fell" | "steady" | "stands" | "unmeasured";
            value: number;
            before?: number | null;
            hours?: number | null;
            away?: ("high" | "low") | null;
            typical?: number | null;
        };
        Share: {
            count: number;
            share?: number | null;
            low?: number | null;
            high?: number | null;
        };
        Shelve: {
            minutes: number;
            reason?: string | null;
        };
        Shift: {
            id: string;
            name: string;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until: string;
        };
        "Shown-Input": {
            ids: number[];
        };
        "Shown-Output": {
            value: number | string | boolean | null;
            unit: string;
            /** Format: date-time */
            time: string;
        };
        Simulator: {
            allowed: boolean;
            running: boolean;
            ward: string;
            patients: boolean;
        };
        SoundOf: {
            shared: boolean;
            sounds: boolean;
            others: number;
        };
        Sounds: {
            screen: string;
            wards: string[];
            able: boolean;
            take?: boolean;
        };
        SoundsOf: {
            wards: {
                [key: string]: components["schemas"]["SoundOf"];
            };
        };
        Spell: {
            name: string;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until: string;
        };
        Spread: {
            count: number;
            median: number;
            p90: number;
        };
        Stay: {
            id: string;
            ward: string;
            bed: string;
            patient_ref: string | null;
            /** Format: date-time */
            admitted_at: string;
            discharged_at?: string | null;
            flags: string[];
            paused_until?: string | null;
            paused_reason?: string | null;
            paused_by?: string | null;
            devices: components["schemas"]["StayDevice"][];
            signals: {
                [key: string]: components["schemas"]["Latest"];
            };
            news2?: components["schemas"]["News2"] | null;
            risk?: number | null;
            alerts: components["schemas"]["Alert"][];
            pending: components["schemas"]["Pending"][];
            priority?: ("high" | "medium" | "low") | null;
            limits?: components["schemas"]["OwnLimit"][];
            carer?: components["schemas"]["Carer"] | null;
            carer_before?: components["schemas"]["CarerBefore"] | null;
            /** Format: date-time */
            time: string;
        };
        StayDevice: {
            device: string;
            /** Format: date-time */
            since: string;
            until?: string | null;
            online?: boolean | null;
            last_seen_at?: string | null;
            offset_s?: number | null;
        };
        StayLogEntry: {
            seq: number;
            /** Format: date-time */
            at: string;
            stay?: string | null;
            ward?: string | null;
            alert?: string | null;
            kind: string;
            by?: string | null;
            before?: unknown;
            after?: unknown;
            detail?: unknown;
            notify?: string | null;
            title?: string | null;
            titles?: {
                [key: string]: string;
            };
            priority?: ("high" | "medium" | "low") | null;
            of?: ("physiological" | "technical") | null;
        };
        Step: {
            /** Format: date-time */
            at: string;
            after_s: number;
            level?: number | null;
            tell: components["schemas"]["Told"][];
            nobody_on_duty: number[];
        };
        Take: {
            stays: string[];
            person?: string | null;
        };
        Taken: {
            items: components["schemas"]["Stay"][];
        };
        TeamOnDuty: {
            id: string;
            name: string;
            people: components["schemas"]["Present"][];
        };
        Test: {
            id: number;
            ward: string;
            batch?: string | null;
            person: string;
            name: string;
            channel: string;
            /** @enum {string} */
            state: "waiting" | "sent" | "failed" | "dropped";
            /** Format: date-time */
            created_at: string;
            sent_at?: string | null;
            attempts: number;
            shown_by?: string | null;
            error?: string | null;
            screens?: components["schemas"]["Screen"][];
            seen_at?: string | null;
            seen_by?: string | null;
        };
        Tests: {
            items: components["schemas"]["Test"][];
        };
        Token: {
            id: string;
            name: string;
            /** @enum {string} */
            role: "nurse" | "clinician" | "admin" | "integration" | "kiosk";
            wards?: string[] | null;
            scopes?: string[] | null;
            /** Format: date-time */
            created_at: string;
            expires_at?: string | null;
            revoked_at?: string | null;
        };
        Told: {
            person: string;
            name: string;
            channel: string;
        };
        Trace: {
            time: string[];
            value?: number[] | null;
            quality?: ("valid" | "questionable" | "invalid")[] | null;
            reason?: string[] | null;
            device?: (string | null)[] | null;
            min?: number[] | null;
            median?: number[] | null;
            max?: number[] | null;
            count?: number[] | null;
            doubted?: components["schemas"]["Doubted"] | null;
        };
        Transfer: {
            ward: string;
            bed: string;
            pause_minutes?: number | null;
        };
        TrialAnswer: {
            id?: string | null;
            relative?: boolean;
            stays: number;
            patient_days: number;
            denominator: string;
            readings: number;
            rules: string[];
            events: components["schemas"]["TrialEvents"];
            in_force: components["schemas"]["TrialSetting"];
            settings: components["schemas"]["TrialSetting"][];
            suggestion?: components["schemas"]["TrialSuggestion"] | null;
            by_rule?: components["schemas"]["TrialRule"][];
            by_day?: components["schemas"]["TrialDay"][];
            patients?: components["schemas"]["TrialPatient"][];
            changes?: components["schemas"]["TrialChanges"] | null;
            raised?: components["schemas"]["TrialRaised"][];
            now?: components["schemas"]["TrialRaised"][];
            only_candidate?: components["schemas"]["TrialRaised"][];
            only_now?: components["schemas"]["TrialRaised"][];
        };
        TrialChange: {
            stay: string;
            rule: string;
            title: string;
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            /** Format: date-time */
            breach_since: string;
            /** Format: date-time */
            raised_at: string;
            cleared_at?: string | null;
            delay_s?: number | null;
        };
        TrialChanged: {
            count: number;
            items: components["schemas"]["TrialChange"][];
        };
        TrialChanges: {
            gained: components["schemas"]["TrialChanged"];
            lost: components["schemas"]["TrialChanged"];
            moved: components["schemas"]["TrialChanged"];
        };
        TrialDay: {
            /** Format: date-time */
            day: string;
            date?: string | null;
            now: number;
            candidate: number;
        };
        TrialDistribution: {
            stays: number;
            without: number;
            median?: number | null;
            p90?: number | null;
            most?: number | null;
            top_tenth_share?: number | null;
        };
        TrialEvent: {
            stay: string;
            /** Format: date-time */
            time: string;
        };
        TrialEvents: {
            /** @enum {string} */
            kind: "labelled" | "severe";
            count: number;
            stays: number;
            meaning: string;
        };
        TrialGrid: {
            rule: string;
            signal?: string | null;
            thresholds?: number[];
            for?: string[];
        };
        TrialHeldOut: {
            per_day: number;
            caught: number;
            events: number;
            recall?: number | null;
        };
        TrialHistory: {
            start?: string | null;
            end?: string | null;
            /** Format: date-time */
            now: string;
            readings: number;
            stays: number;
        };
        TrialPatient: {
            stay: string;
            ward: string;
            bed: string;
            hours: number;
            now: number;
            candidate: number;
            gained: number;
            lost: number;
        };
        TrialQuantiles: {
            median: number;
            p90: number;
            most: number;
        };
        TrialRaised: {
            stay: string;
            rule: string;
            /** Format: date-time */
            raised_at: string;
            cleared_at?: string | null;
            /** @enum {string} */
            priority: "high" | "medium" | "low";
        };
        TrialRequest: {
            rules?: components["schemas"]["CandidateRule"][];
            grid?: components["schemas"]["TrialGrid"] | null;
            holds?: {
                [key: string]: string;
            };
            recording?: string | null;
            labels?: string | null;
            start?: string | null;
            end?: string | null;
            ward?: string | null;
            stays?: string[] | null;
            scope?: string | null;
            events?: components["schemas"]["TrialEvent"][] | null;
            window?: string;
            after?: string;
            suggest?: components["schemas"]["TrialWish"] | null;
            listed?: boolean;
        };
        TrialRule: {
            rule: string;
            title: string;
            /** @enum {string} */
            priority: "high" | "medium" | "low";
            now: number;
            candidate: number;
            gained: number;
            lost: number;
        };
        TrialSetting: {
            label: string;
            threshold?: number | null;
            for?: number | null;
            definitions: {
                [key: string]: unknown;
            }[];
            alerts: number;
            alerts_per_day: number;
            alerts_per_day_interval?: number[] | null;
            all_alerts_per_day: number;
            interruptions?: number | null;
            interruptions_per_day?: number | null;
            interruptions_per_day_interval?: number[] | null;
            distribution: components["schemas"]["TrialDistribution"];
            alert_hours_per_day: number;
            gained: number;
            lost: number;
            delay_s?: components["schemas"]["TrialQuantiles"] | null;
            caught: number;
            recall?: number | null;
            recall_interval?: number[] | null;
            true: number;
            false: number;
            precision?: number | null;
            precision_interval?: number[] | null;
            lead_s?: components["schemas"]["TrialQuantiles"] | null;
            cost_per_day: number;
            on_front: boolean;
        };
        TrialSuggestion: {
            wanted_per_day: number;
            /** @enum {string} */
            of: "alerts" | "interruptions";
            miss_cost: number;
            chosen?: components["schemas"]["TrialSetting"] | null;
            cheapest?: components["schemas"]["TrialSetting"] | null;
            front: string[];
            held_out?: components["schemas"]["TrialHeldOut"] | null;
            notes: string[];
        };
        TrialWish: {
            per_day: number;
            /** @enum {string} */
            of?: "alerts" | "interruptions";
            miss_cost?: number;
        };
        Undelivered: {
            person: string;
            channel: string;
        };
        User: {
            id: string;
            login: string;
            name: string;
            /** @enum {string} */
            role: "nurse" | "clinician" | "admin";
            wards?: string[] | null;
            /** Format: date-time */
            created_at: string;
            disabled_at?: string | null;
            has_password: boolean;
            password_changed_at?: string | null;
            sessions?: number;
            last_seen_at?: string | null;
            locked_until?: string | null;
            issuer?: string | null;
        };
        UserChange: {
            name?: string | null;
            role?: ("nurse" | "clinician" | "admin") | null;
            wards?: string[] | null;
            disabled?: boolean | null;
        };
        Verdict: {
            holds: boolean;
            lines: number;
            after: number;
            seq: number;
            hash: string;
            bad?: number | null;
            wrong?: string | null;
        };
        Vitals: {
            stay: string;
            /** Format: date-time */
            start: string;
            /** Format: date-time */
            end: string;
            resolution_s?: number | null;
            complete?: boolean;
            signals: {
                [key: string]: components["schemas"]["Trace"];
            };
        };
        Ward: {
            ward: string;
            beds: components["schemas"]["Bed"][];
            stays: number;
            devices: number;
            unassigned: number;
            /** @enum {string} */
            plan: "ward" | "default";
            plan_version: number;
        };
        WardDrift: {
            ward: string;
            /** @enum {string} */
            state: "collecting" | "compared" | "quiet";
            reference?: components["schemas"]["Reference"] | null;
            until?: string | null;
            patients?: number | null;
            differs: string[];
            findings: components["schemas"]["Finding"][];
        };
        Ways: {
            password: boolean;
            oidc?: string | null;
        };
        Who: {
            name: string;
            /** @enum {string} */
            role: "nurse" | "clinician" | "admin" | "integration" | "kiosk";
            wards: string[] | null;
            may: string[];
            limited?: boolean;
            acts_until?: string | null;
            expires_at?: string | null;
            account?: boolean;
            log_out_url?: string | null;
        };
        ward__web__schemas__health__Part: {
            part: string;
            age_s: number;
            limit_s?: number | null;
            late: boolean;
        };
        ward__web__schemas__stays__Part: {
            points: number;
            value: number | string | boolean | null;
            time?: string | null;
            stale: boolean;
            age_s?: number | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
