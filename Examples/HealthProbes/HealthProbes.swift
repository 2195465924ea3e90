// A consumer that reports its health to a file, and the command for Kubernetes' probes that reads the file.
//
//     swift run example-health-probes run localhost:9092 TOPIC FILE
//     swift run example-health-probes live FILE        exits with 0 if the process needs no restart, otherwise 1
//     swift run example-health-probes ready FILE       exits with 0 if the process reads from Kafka, otherwise 1

import Foundation
import KafkaWire

@main
struct HealthProbes {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch (arguments.first, arguments.count) {
        case ("run", 4): try await read(arguments[2], from: arguments[1], healthFile: URL(filePath: arguments[3]))
        case ("live", 2): answer(Health.read(URL(filePath: arguments[1])).liveProblem)
        case ("ready", 2): answer(Health.read(URL(filePath: arguments[1])).readyProblem)
        default:
            print("usage: example-health-probes run BOOTSTRAP-SERVERS TOPIC FILE | live FILE | ready FILE")
            exit(64)
        }
    }

    /// Ends the process as a probe does. Kubernetes shows the output of a failed probe in the pod's events.
    private static func answer(_ problem: String?) -> Never {
        print(problem ?? "ok")
        exit(problem == nil ? 0 : 1)
    }

    private static func read(_ topic: String, from servers: String, healthFile: URL) async throws {
        let client = try KafkaClient(
            bootstrapServers: servers, properties: ["group.id": "probes", "auto.offset.reset": "earliest"])
        let consumer = client.consumer()
        try await consumer.subscribe(to: .topics([topic]))
        let progress = Progress()
        try await withThrowingTaskGroup { group in
            group.addTask {
                while true {
                    try await Health(of: consumer, lastStep: progress.lastStep).write(to: healthFile)
                    try await Task.sleep(for: .seconds(1))
                }
            }
            group.addTask {
                var batches = consumer.makeAsyncIterator()
                while true {
                    // The time limit proves that this loop runs even if there is nothing to read.
                    let step = try await batches.next(timeout: .seconds(1))
                    await progress.step()
                    if case .batch(let batch) = step { print("\(batch.topicPartition) to \(batch.lastOffset)") }
                }
            }
            // Both loops run until the process is killed, or one of them throws.
            try await group.next()
        }
    }
}

/// When the reading loop last moved.
actor Progress {
    private(set) var lastStep = ContinuousClock.now

    func step() { lastStep = .now }
}
