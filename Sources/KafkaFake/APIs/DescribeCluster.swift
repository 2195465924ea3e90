import KafkaWire

extension APICall {
    func describeCluster(_ request: DescribeClusterRequest) -> Reply<DescribeClusterResponse> {
        state.withLock { state in
            var response = DescribeClusterResponse(clusterId: state.clusterID)
            if let refusal {
                response.errorCode = refusal.code.rawValue
            } else if request.endpointType != 1 {
                response.errorCode = ErrorCode.mismatchedEndpointType.rawValue
                response.errorMessage = "this is a broker's listener"
            } else {
                response.controllerId = state.runningNodes.first?.id ?? -1
                response.brokers = state.runningNodes.map {
                    DescribeClusterResponse.Broker(
                        brokerId: $0.id, host: "127.0.0.1", port: Int32($0.port), rack: $0.rack)
                }
            }
            return .response(response)
        }
    }
}
