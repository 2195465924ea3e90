import CommandLineSupport
import Foundation
import KafkaWire

/// The contexts of `-d`, by librdkafka's names.
enum DebugContext: String, CaseIterable {
    case generic, broker, topic, metadata, feature, queue, msg, `protocol`, cgrp, security, fetch, interceptor, plugin
    case consumer, admin, eos, mock, assignor, conf, telemetry, all

    /// Reads a comma-separated list.
    ///
    /// - Throws: A failure of status `usage` for a context that doesn't exist.
    static func list(_ text: String) throws(Failure) -> Set<DebugContext> {
        var contexts: Set<DebugContext> = []
        for part in text.split(separator: ",") {
            guard let context = DebugContext(rawValue: String(part)) else {
                let names = allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure("-d expects a list of contexts separated by commas: \(names)", status: .usage)
            }
            contexts.insert(context)
        }
        return contexts
    }

    /// The contexts that a request belongs to.
    ///
    /// - Parameter api: The API's name in Kafka's documentation.
    static func contexts(ofAPI api: String) -> Set<DebugContext> {
        switch api {
        case "ApiVersions": [.protocol, .feature]
        case "Metadata": [.protocol, .metadata, .topic]
        case "Produce": [.protocol, .msg]
        case "Fetch": [.protocol, .fetch, .consumer]
        case "ListOffsets", "OffsetForLeaderEpoch": [.protocol, .fetch, .topic]
        case "FindCoordinator", "JoinGroup", "SyncGroup", "Heartbeat", "LeaveGroup", "OffsetCommit", "OffsetFetch",
            "ConsumerGroupHeartbeat":
            [.protocol, .cgrp, .consumer]
        case "SaslHandshake", "SaslAuthenticate": [.protocol, .security]
        case "InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn", "TxnOffsetCommit": [.protocol, .eos]
        default: [.protocol, .admin]
        }
    }
}

/// Prints the client's events on standard error, one per line, in the contexts of `-d`.
struct DebugLog: Sendable {
    let contexts: Set<DebugContext>
    var write: @Sendable (String) -> Void = { Output.standardError.post(line: $0) }

    /// The first of these contexts that is enabled; nil if none is.
    private func wanted(_ candidates: Set<DebugContext>) -> DebugContext? {
        if contexts.contains(.all) { return candidates.min { $0.rawValue < $1.rawValue } }
        return contexts.intersection(candidates).min { $0.rawValue < $1.rawValue }
    }

    private func say(_ candidates: Set<DebugContext>, _ text: @autoclosure () -> String) {
        guard let context = wanted(candidates) else { return }
        let time = String(format: "%.3f", Date().timeIntervalSince1970)
        write("%7|\(time)|\(context.rawValue)| \(text())")
    }

    /// Hooks that call other hooks and also print each event.
    func hooks(beside others: ClientHooks) -> ClientHooks {
        guard !contexts.isEmpty else { return others }
        var hooks = others
        hooks.connected = { [self] event in
            others.connected?(event)
            let outcome = event.error.map { "failed: \($0.message)" } ?? "done"
            say(
                [.broker, .security, .generic],
                "connecting to \(event.broker) for \(event.role.rawValue): \(outcome), \(DurationText.format(event.duration))"
            )
        }
        hooks.disconnected = { [self] event in
            others.disconnected?(event)
            say(
                [.broker, .generic], "disconnected from \(event.broker) (\(event.role.rawValue)): \(event.reason.text)")
        }
        hooks.requestSent = { [self] event in
            others.requestSent?(event)
            say(
                DebugContext.contexts(ofAPI: event.api),
                "\(event.broker): sent \(event.api) v\(event.version), \(event.byteCount) bytes")
        }
        hooks.responseReceived = { [self] event in
            others.responseReceived?(event)
            let outcome = event.error.map { "failed: \($0.message)" } ?? "\(event.byteCount) bytes"
            say(
                DebugContext.contexts(ofAPI: event.api),
                "\(event.broker): \(event.api) v\(event.version) answered after \(DurationText.format(event.duration)): \(outcome)"
            )
        }
        hooks.throttled = { [self] event in
            others.throttled?(event)
            say([.broker, .protocol], "\(event.broker) throttles \(event.api): \(DurationText.format(event.duration))")
        }
        hooks.rebalanced = { [self] event in
            others.rebalanced?(event)
            let partitions = event.partitions.map { "\($0)" }.joined(separator: ", ")
            say(
                [.cgrp, .consumer, .assignor],
                "group \(event.groupID), generation \(event.generationID): \(event.change.rawValue) \(partitions)")
        }
        hooks.availabilityChanged = { [self] change in
            others.availabilityChanged?(change)
            say([.broker, .generic], "\(change)")
        }
        hooks.retrying = { [self] event in
            others.retrying?(event)
            say([.generic, .broker, .topic, .metadata], "\(event)")
        }
        return hooks
    }
}

extension DisconnectReason {
    fileprivate var text: String {
        if case .failed(let error) = self { error.message } else { description }
    }
}
