import HTTPServer

/// The HTTP pages of a run.
struct StatusPages: Sendable {
    let monitor: RunMonitor
    /// The plant's live page; nil for other mappings.
    let livePage: LivePage?

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        if let answer = livePage?.answer(request) { return answer }
        switch request.path {
        case "/healthz":
            if let healthProblem = monitor.healthProblem {
                return HTTPResponse(.serviceUnavailable, healthProblem + "\n")
            }
            return HTTPResponse("the process is healthy\n")
        case "/readyz":
            let blockers = monitor.blockers
            return blockers.isEmpty
                ? HTTPResponse("ready\n")
                : HTTPResponse(.serviceUnavailable, blockers.map { $0 + "\n" }.joined())
        case "/metrics": return HTTPResponse(type: PrometheusText.contentType, body: Array(monitor.figures.utf8))
        default: return HTTPResponse(.notFound, "no such page; there are /healthz, /readyz and /metrics\n")
        }
    }
}
