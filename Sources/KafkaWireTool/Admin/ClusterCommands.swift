import CommandLineSupport
import KafkaWire

/// `kafkawire cluster …`
enum ClusterCommands {
    static let area = AdminArea(
        name: "cluster", abstract: "describes the cluster",
        commands: [
            AdminCommand(
                "describe", "", "shows cluster id, controller and brokers; -J as JSON",
                options: [("fenced", nil, "includes brokers that the controller has fenced")], run: describe)
        ])

    private static func describe(_ call: AdminCall) async throws {
        try call.noOperands()
        let cluster = try await call.admin.describeCluster(includingFenced: call.has("fenced"))
        if call.isJSON {
            return try await call.write([
                "cluster": cluster.clusterID.map { .string($0) } ?? .null,
                "controller": cluster.controllerID.map { .integer(Int($0)) } ?? .null,
                "brokers": .array(
                    cluster.brokers.map { broker in
                        [
                            "id": .integer(Int(broker.nodeID)), "host": .string(broker.host),
                            "port": .integer(Int(broker.port)), "rack": broker.rack.map { .string($0) } ?? .null,
                            "fenced": .bool(broker.isFenced),
                        ]
                    }),
            ])
        }
        var table = TextTable(["BROKER", "ADDRESS", "RACK", ""])
        for broker in cluster.brokers {
            let note = broker.isFenced ? "fenced" : broker.nodeID == cluster.controllerID ? "controller" : ""
            table.add(["\(broker.nodeID)", "\(broker.host):\(broker.port)", broker.rack ?? "-", note])
        }
        try await call.write(["cluster \(cluster.clusterID ?? "?")"] + table.lines)
    }
}
