import CommandLineSupport
import KafkaFake

/// `tfi-producer fake-broker`: a Kafka in memory, for a demonstration where there is none.
enum FakeBrokerCommand {
    private static let port = Option(
        "port", .int(0...65_535), default: 9092, placeholder: "PORT",
        help: "Where to listen on the loopback address; 0 for any port that is free.")
    private static let partitions = Option(
        "partitions", .int(1...10_000), default: 4,
        help: "How many partitions a topic gets whose creator doesn't say.")

    static let command = Command(
        name: "fake-broker", abstract: "is a Kafka broker in memory, until SIGINT or SIGTERM",
        discussion: [
            "For trying things out where there is no Kafka: records are kept in memory, and gone when it ends."
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
