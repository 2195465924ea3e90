import Foundation
import KafkaWire

/// Serves one client's connection to one broker on a thread: reads a request, carries it out, answers it, and reads the
/// next one.
struct ClientConnection {
    let node: Int32
    let listener: Listener
    let state: Monitor<ClusterState>
    let versions: SpokenVersions
    let defaultPartitions: Int
    let pool: BufferPool

    /// The longest request that a broker accepts, in bytes (`socket.request.max.bytes`).
    private static let maximumRequest = 104_857_600

    /// Serves the connection until it has to be closed.
    func serve(_ socket: borrowing Descriptor) {
        var isSilent = false
        while let frame = readFrame(socket) {
            switch answer(frame, socket, isSilent: isSilent) {
            case .proceed: break
            case .stopAnswering: isSilent = true
            case .hangUp: return
            }
        }
    }

    private enum Next {
        case proceed
        /// Carry out further requests, but send no more answers.
        case stopAnswering
        case hangUp
    }

    private func readFrame(_ socket: borrowing Descriptor) -> ByteSlice? {
        var length: UInt32 = 0
        guard unsafe withUnsafeMutableBytes(of: &length, { unsafe socket.read(into: $0) }) else { return nil }
        let count = Int(Int32(bitPattern: UInt32(bigEndian: length)))
        guard count >= 8, count <= Self.maximumRequest else { return nil }
        let storage = pool.take(count)
        // No other code has the storage yet.
        let target = unsafe UnsafeMutableRawBufferPointer(start: storage.base, count: count)
        return unsafe socket.read(into: target) ? ByteSlice(storage, 0..<count) : nil
    }

    private func answer(_ frame: ByteSlice, _ socket: borrowing Descriptor, isSilent: Bool) -> Next {
        guard let header = try? RequestHeader(frame), let key = APIKey(rawValue: header.apiKey) else {
            return .hangUp
        }
        let request = FakeRequest(
            api: key, version: header.version, node: node, correlationID: header.correlationID,
            clientID: header.clientID, time: .now)
        let fault = state.withLock { state in
            state.expire()
            state.requests.append(request)
            return state.faults.take(key, node: node)
        }
        if fault == .hangUp(.beforehand) { return .hangUp }
        // An unreadable request or an unsupported version ends the connection, as with Kafka.
        guard let outcome = try? carryOut(key, header, fault) else { return .hangUp }
        switch outcome {
        case .hangUp: return .hangUp
        case .noAnswer: return .proceed
        case .answer(let bytes):
            let change = state.withLock { $0.answerChange }
            return isSilent ? .proceed : send(change?(key, header.version, bytes) ?? bytes, fault, socket)
        }
    }

    private func send(_ answer: [UInt8], _ fault: Fault?, _ socket: borrowing Descriptor) -> Next {
        var answer = answer
        switch fault {
        case .late(let delay):
            pause(delay)
        case .held:
            let listener = listener
            state.withLock { $0.heldAnswers += 1 }
            _ = state.wait(until: .now + .seconds(3600)) { $0.releasesAnswers || listener.isStopping ? () : nil }
            state.withLock { $0.heldAnswers -= 1 }
        case .inPieces(let count):
            for start in stride(from: 0, to: answer.count, by: max(count, 1)) {
                guard socket.write(answer[start..<min(start + max(count, 1), answer.count)]) else { return .hangUp }
            }
            return .proceed
        case .wrongCorrelationID:
            answer[7] ^= 0x55
        case .length(let length):
            answer.replaceSubrange(0..<4, with: (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) })
        case .garbage(let bytes):
            answer = bytes
        case .unreadable:
            for index in 8..<answer.count { answer[index] = 0xff }
        case .silence:
            return .stopAnswering
        case .hangUp(.beforeAnswer):
            return .hangUp
        case .hangUp(.withinAnswer):
            _ = socket.write(answer[..<(answer.count / 2)])
            return .hangUp
        case .hangUp(.afterAnswer):
            _ = socket.write(answer[...])
            return .hangUp
        case .error, .errorAfterwards, .hangUp(.beforehand), nil:
            break
        }
        return socket.write(answer[...]) ? .proceed : .hangUp
    }

    /// Waits for the duration, or until the broker stops.
    private func pause(_ duration: Duration) {
        let listener = listener
        _ = state.wait(until: .now + duration) { _ in listener.isStopping ? () : nil }
    }

    // MARK: One request

    private func carryOut(_ key: APIKey, _ header: RequestHeader, _ fault: Fault?) throws -> Outcome {
        let isSupported = versions.ranges[key]?.contains(header.version) ?? false
        if key == .apiVersions { return try answerVersions(header, isSupported: isSupported, fault) }
        guard isSupported else { return .hangUp }
        guard let handler = APIHandler.all[key] ?? APIHandler.logins[key] else { return .hangUp }
        let call = APICall(
            node: node, version: header.version, clientID: header.clientID, state: state, refusal: Refusal(fault),
            versions: versions, defaultPartitions: defaultPartitions, isStopping: { [listener] in listener.isStopping })
        return try handler.answer(header, call)
    }

    private func answerVersions(_ header: RequestHeader, isSupported: Bool, _ fault: Fault?) throws -> Outcome {
        if isSupported {
            let error = Refusal(fault)?.code ?? .none
            let response = ApiVersionsResponse(
                errorCode: error.rawValue, apis: versions.announced, finalizedFeaturesEpoch: 0,
                finalizedFeatures: versions.announcedFeatures)
            return .answer(
                try ApiVersionsRequest.responseFrame(
                    response, version: header.version, correlationID: header.correlationID))
        }
        guard versions.refusal != .hangUp else { return .hangUp }
        var response = ApiVersionsResponse(errorCode: ErrorCode.unsupportedVersion.rawValue)
        if versions.refusal == .withRange {
            response.apis = versions.announced.filter { $0.apiKey == APIKey.apiVersions.rawValue }
        }
        return .answer(
            try ApiVersionsRequest.responseFrame(response, version: 0, correlationID: header.correlationID))
    }
}
