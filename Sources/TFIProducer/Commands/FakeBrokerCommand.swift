import CommandLineSupport
import KafkaFake

/// `tfi-producer fake-broker`: an in-memory Kafka broker for demonstrations.
enum FakeBrokerCommand {
    private static let port = Option(
        "port", .int(0...65_535), default: 9092, placeholder: "PORT",
        help: "The port to listen on at the loopback address; 0 for any free port.")
    private static let partitions = Option(
        "partitions", .int(1...10_000), default: 4,
        help: "The number of partitions of a topic whose creator gives none.")

    static let command = Command(
        name: "fake-broker", abstract: "runs an in-memory Kafka broker until SIGINT or SIGTERM",
        discussion: [
            "For trials without Kafka: it keeps records in memory, and loses them when it ends."
        ],
        options: [port, partitions], statuses: [.success, .usage, .unavailable]
    ) { options in
        let stop = StopSignal.listening()
        let cluster: FakeCluster
        do {
            cluster = try FakeCluster(
                ports: [UInt16(clamping: options[port])], defaultPartitions: options[partitions])
        } catch {
            throw Failure("\(error); give another --port", status: .unavailable)
        }
        try await Output.standard.write("\(cluster.bootstrapServers)\n")
        await stop.wait()
        await cluster.close()
    }
}
