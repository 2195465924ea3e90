import CommandLineSupport
import KafkaWire

/// `-L`: brokers, topics and partitions.
struct ListMode {
    let options: MessageOptions
    let client: KafkaClient

    func run() async throws {
        let cluster = try await client.admin.describeCluster()
        let topics =
            options.topics.isEmpty
            ? try await client.admin.listTopics(includingInternal: true)
            : try await client.admin.describe(topics: options.topics)
        if options.isJSON {
            try await Output.standard.write(Self.json(cluster, topics, asked: options.topics).text + "\n")
        } else {
            try await Output.standard.write(Self.text(cluster, topics, asked: options.topics))
        }
    }

    static func text(_ cluster: ClusterDescription, _ topics: [TopicDescription], asked: [String]) -> String {
        var text =
            "Metadata for \(asked.isEmpty ? "all topics" : ForeignText.visible(asked.joined(separator: ", "))):\n"
        text += " \(cluster.brokers.count) brokers:\n"
        for broker in cluster.brokers {
            text += "  broker \(broker.nodeID) at \(ForeignText.visible(broker.host)):\(broker.port)"
            text +=
                (broker.rack.map { " rack \(ForeignText.visible($0))" } ?? "")
                + (broker.nodeID == cluster.controllerID ? " (controller)" : "")
            text += "\n"
        }
        text += " \(topics.count) topics:\n"
        for topic in topics {
            text += "  topic \"\(ForeignText.visible(topic.name))\" with \(topic.partitions.count) partitions:\n"
            for partition in topic.partitions {
                text += "    partition \(partition.partition), leader \(partition.leader.map { "\($0)" } ?? "none"), "
                text += "replicas: \(numbers(partition.replicas)), isrs: \(numbers(partition.inSyncReplicas))\n"
            }
        }
        return text
    }

    private static func numbers(_ nodes: [Int32]) -> String { nodes.map { "\($0)" }.joined(separator: ",") }

    static func json(_ cluster: ClusterDescription, _ topics: [TopicDescription], asked: [String]) -> JSONValue {
        [
            "query": ["topic": .string(asked.isEmpty ? "*" : asked.joined(separator: ","))],
            "clusterid": cluster.clusterID.map { .string($0) } ?? .null,
            "controllerid": .integer(Int(cluster.controllerID ?? -1)),
            "brokers": .array(
                cluster.brokers.map { broker in
                    [
                        "id": .integer(Int(broker.nodeID)), "name": .string("\(broker.host):\(broker.port)"),
                        "rack": broker.rack.map { .string($0) } ?? .null,
                    ]
                }),
            "topics": .array(topics.map(json)),
        ]
    }

    static func json(_ topic: TopicDescription) -> JSONValue {
        [
            "topic": .string(topic.name), "id": .string("\(topic.id)"),
            "partitions": .array(
                topic.partitions.map { partition in
                    [
                        "partition": .integer(Int(partition.partition)),
                        "leader": .integer(Int(partition.leader ?? -1)),
                        "replicas": nodes(partition.replicas), "isrs": nodes(partition.inSyncReplicas),
                    ]
                }),
        ]
    }

    private static func nodes(_ ids: [Int32]) -> JSONValue { .array(ids.map { ["id": .integer(Int($0))] }) }
}
