import KafkaWire
import Testing

@Suite struct ErrorTests {
    @Test(arguments: [
        ErrorCode.topicAuthorizationFailed, .groupAuthorizationFailed, .clusterAuthorizationFailed,
        .transactionalIdAuthorizationFailed, .delegationTokenAuthorizationFailed,
    ])
    func `a missing permission is an authorization error`(code: ErrorCode) {
        #expect(KafkaError(code, "no").isAuthorization && !KafkaError(code, "no").isRetriable)
    }

    @Test func `a refused login is fatal, and no authorization error`() {
        let error = KafkaError(.saslAuthenticationFailed, "wrong password", isFromBroker: true)
        #expect(error.isFatal && !error.isAuthorization)
    }

    @Test func `an invalid configuration is fatal, an invalid config of a topic is not`() {
        #expect(KafkaError(.invalidConfig, "acks is 7").isFatal)
        #expect(!KafkaError(.invalidConfig, "retention.ms is -7", isFromBroker: true).isFatal)
    }

    @Test func `a retriable error is not fatal`() {
        let lost = KafkaError(.networkException, "the connection is lost")
        #expect(lost.isRetriable && !lost.isFatal && !lost.requiresAbort)
        #expect(KafkaError(.networkException, "the client is closed", isRetriable: false).isFatal)
    }

    @Test func `the flags of the code can be overridden`() {
        let error = KafkaError(.unknownServerError, "no", isRetriable: true, isFatal: false, requiresAbort: true)
        #expect(error.isRetriable && !error.isFatal && error.requiresAbort)
    }
}
