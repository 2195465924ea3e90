import Testing

@testable import KafkaWire

@Suite("Error codes")
struct ErrorCodeTests {
    @Test("The codes are -1 to 133 without a gap, and all names are different")
    func table() {
        #expect(ErrorCode.table.map(\.code) == Array(-1...133))
        #expect(Set(ErrorCode.table.map(\.name)).count == ErrorCode.table.count)
    }

    @Test(
        "Names, and which codes are retriable",
        arguments: [
            (.unknownServerError, -1, "UNKNOWN_SERVER_ERROR", false), (.none, 0, "NONE", false),
            (.offsetOutOfRange, 1, "OFFSET_OUT_OF_RANGE", false), (.corruptMessage, 2, "CORRUPT_MESSAGE", true),
            (.unknownTopicOrPartition, 3, "UNKNOWN_TOPIC_OR_PARTITION", true),
            (.notLeaderOrFollower, 6, "NOT_LEADER_OR_FOLLOWER", true),
            (.requestTimedOut, 7, "REQUEST_TIMED_OUT", true), (.networkException, 13, "NETWORK_EXCEPTION", true),
            (.unsupportedVersion, 35, "UNSUPPORTED_VERSION", false),
            (.outOfOrderSequenceNumber, 45, "OUT_OF_ORDER_SEQUENCE_NUMBER", false),
            (.fetchSessionIdNotFound, 70, "FETCH_SESSION_ID_NOT_FOUND", true),
            (.fencedLeaderEpoch, 74, "FENCED_LEADER_EPOCH", true), (.unknownTopicId, 100, "UNKNOWN_TOPIC_ID", true),
            (.shareSessionLimitReached, 133, "SHARE_SESSION_LIMIT_REACHED", true),
        ] as [(ErrorCode, Int16, String, Bool)])
    func known(code: ErrorCode, number: Int16, name: String, isRetriable: Bool) {
        #expect(code.rawValue == number)
        #expect(code.description == name)
        #expect(code.isRetriable == isRetriable)
    }

    @Test("An unknown code keeps its number", arguments: [Int16.min, -2, 134, .max])
    func unknown(number: Int16) {
        let code = ErrorCode(rawValue: number)
        #expect(code.rawValue == number)
        #expect(code.description == "ERROR_\(number)")
        #expect(!code.isRetriable)
    }
}
