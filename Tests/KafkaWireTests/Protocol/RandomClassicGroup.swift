import KafkaWire

extension JoinGroupRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            sessionTimeoutMs: random.value(version),
            rebalanceTimeoutMs: version >= 1 ? random.value(version) : -1,
            memberId: random.value(version),
            groupInstanceId: version >= 5 ? random.value(version) : nil,
            protocolType: random.value(version),
            protocols: random.value(version),
            reason: version >= 8 ? random.value(version) : nil)
    }
}

extension JoinGroupRequest.JoinGroupRequestProtocol: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(name: random.value(version), metadata: random.value(version))
    }
}

extension JoinGroupResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 2 ? random.value(version) : 0,
            errorCode: random.value(version),
            generationId: random.value(version),
            protocolType: version >= 7 ? random.value(version) : nil,
            protocolName: random.value(version, orNil: version >= 7),
            leader: random.value(version),
            skipAssignment: version >= 9 ? random.value(version) : false,
            memberId: random.value(version),
            members: random.value(version))
    }
}

extension JoinGroupResponse.JoinGroupResponseMember: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            memberId: random.value(version),
            groupInstanceId: version >= 5 ? random.value(version) : nil,
            metadata: random.value(version))
    }
}

extension SyncGroupRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            generationId: random.value(version),
            memberId: random.value(version),
            groupInstanceId: version >= 3 ? random.value(version) : nil,
            protocolType: version >= 5 ? random.value(version) : nil,
            protocolName: version >= 5 ? random.value(version) : nil,
            assignments: random.value(version))
    }
}

extension SyncGroupRequest.SyncGroupRequestAssignment: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(memberId: random.value(version), assignment: random.value(version))
    }
}

extension SyncGroupResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 1 ? random.value(version) : 0,
            errorCode: random.value(version),
            protocolType: version >= 5 ? random.value(version) : nil,
            protocolName: version >= 5 ? random.value(version) : nil,
            assignment: random.value(version))
    }
}

extension HeartbeatRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            generationId: random.value(version),
            memberId: random.value(version),
            groupInstanceId: version >= 3 ? random.value(version) : nil)
    }
}

extension HeartbeatResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(throttleTimeMs: version >= 1 ? random.value(version) : 0, errorCode: random.value(version))
    }
}

extension LeaveGroupRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            memberId: version <= 2 ? random.value(version) : "",
            members: version >= 3 ? random.value(version) : [])
    }
}

extension LeaveGroupRequest.MemberIdentity: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            memberId: random.value(version),
            groupInstanceId: random.value(version),
            reason: version >= 5 ? random.value(version) : nil)
    }
}

extension LeaveGroupResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 1 ? random.value(version) : 0,
            errorCode: random.value(version),
            members: version >= 3 ? random.value(version) : [])
    }
}

extension LeaveGroupResponse.MemberResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            memberId: random.value(version), groupInstanceId: random.value(version), errorCode: random.value(version))
    }
}
