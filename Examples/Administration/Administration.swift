// Prints a cluster's brokers and topics.
//
//     swift run example-administration localhost:9092

import KafkaWire

@main
struct Administration {
    static func main() async throws {
        let servers = CommandLine.arguments.dropFirst().first ?? "localhost:9092"
        let client = try KafkaClient(bootstrapServers: servers)
        let admin = client.admin

        let cluster = try await admin.describeCluster()
        for broker in cluster.brokers { print("broker \(broker.nodeID) at \(shown(broker.host)):\(broker.port)") }
        for topic in try await admin.listTopics() {
            print("\(shown(topic.name)): \(topic.partitions.count) partitions")
        }
        await client.close()
    }

    /// Replaces characters of foreign text that control a terminal.
    private static func shown(_ text: String) -> String {
        text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
    }
}
