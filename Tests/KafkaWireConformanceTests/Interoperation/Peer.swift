import Foundation
import KafkaWire
import TestSupport
import Testing

/// Skips tests if librdkafka can't be installed.
let needsLibrdkafka: ConditionTrait = .enabled("librdkafka can't be installed here") {
    await Librdkafka.skipReason() == nil
}

/// Another client implementation, controlled by commands that Tests/Interoperation/Peer.java documents.
struct Peer: Sendable {
    enum Implementation: String, CaseIterable, Sendable {
        case java = "Java"
        case librdkafka
    }

    struct Record: Codable, Hashable, Sendable {
        var partition: Int32
        var offset: Int64?
        var timestamp: Int64
        /// The key in hexadecimal, like all bytes here.
        var key: String?
        var value: String?
        /// Pairs of name and value.
        var headers: [[String?]]
    }

    /// How a transaction ends.
    enum End: String, Encodable, Sendable {
        case commit, abort
    }

    /// A group member's assignment, and the records read so far as pairs of partition and offset.
    struct Membership: Decodable, Sendable {
        var assigned: [Int32]
        var read: [[Int64]]
    }

    private struct Order: Encodable {
        var `do`: String
        var topic: String?
        var group: String?
        var settings: [String: String] = [:]
        var records: [Record]?
        var end: End?
        var member: Int?
    }

    private struct Answer: Decodable {
        var error: String?
        var records: [Record]?
        var member: Int?
    }

    private let implementation: Implementation
    private let conversation: Conversation

    init(_ implementation: Implementation, _ cluster: KafkaCluster) async throws {
        self.implementation = implementation
        let folder = Repository.root.appending(path: "Tests/Interoperation")
        switch implementation {
        case .java:
            let java = ProcessInfo.processInfo.environment["JAVA_HOME"].map { $0 + "/bin/java" } ?? "java"
            conversation = try Conversation(
                java,
                [
                    "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", cluster.home.path + "/libs/*",
                    folder.appending(path: "Peer.java").path, cluster.bootstrap,
                ])
        case .librdkafka:
            conversation = try Conversation(
                try await Librdkafka.python(), [folder.appending(path: "peer.py").path, cluster.bootstrap])
        }
    }

    private func ask<Result: Decodable>(_ order: Order) async throws -> Result {
        let line = String(decoding: try JSONEncoder().encode(order), as: UTF8.self)
        let answer = Data(try await conversation.ask(line).utf8)
        if let error = try JSONDecoder().decode(Answer.self, from: answer).error {
            throw ProgramError("\(implementation.rawValue) could not \(order.do): \(error)")
        }
        return try JSONDecoder().decode(Result.self, from: answer)
    }

    /// Writes records; in one transaction if `end` is given.
    func produce(_ records: [Record], to topic: String, codec: String, end: End? = nil) async throws {
        var settings = ["compression.type": codec, "linger.ms": "20"]
        if end != nil { settings["transactional.id"] = "\(topic)-\(implementation.rawValue)" }
        let _: Answer = try await ask(
            Order(do: "produce", topic: topic, settings: settings, records: records, end: end))
    }

    /// Reads all records of a topic, each partition's in order.
    func consume(_ topic: String, isolation: String) async throws -> [Record] {
        let answer: Answer = try await ask(
            Order(do: "consume", topic: topic, settings: ["isolation.level": isolation]))
        return try #require(answer.records)
    }

    /// Starts a group member.
    ///
    /// - Returns: The member's number, for `look` and `leave`.
    func join(_ group: String, topic: String, settings: [String: String]) async throws -> Int {
        let answer: Answer = try await ask(Order(do: "join", topic: topic, group: group, settings: settings))
        return try #require(answer.member)
    }

    func look(_ member: Int) async throws -> Membership {
        try await ask(Order(do: "look", member: member))
    }

    /// Makes the member leave its group, and returns all that it has read.
    func leave(_ member: Int) async throws -> Membership {
        try await ask(Order(do: "leave", member: member))
    }
}
