import KafkaWire

extension SupportedMessage {
    static let administration = [
        pair(CreatePartitionsRequest.self), pair(DescribeConfigsRequest.self),
        pair(IncrementalAlterConfigsRequest.self), pair(DescribeGroupsRequest.self), pair(ListGroupsRequest.self),
        pair(DeleteGroupsRequest.self), pair(OffsetDeleteRequest.self), pair(ConsumerGroupDescribeRequest.self),
        pair(DeleteRecordsRequest.self), pair(DescribeClusterRequest.self), pair(DescribeAclsRequest.self),
        pair(CreateAclsRequest.self), pair(DeleteAclsRequest.self), pair(DescribeUserScramCredentialsRequest.self),
        pair(AlterUserScramCredentialsRequest.self),
    ].flatMap { $0 }
}
