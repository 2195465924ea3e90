/// The version of both programs, by semver.org.
public let projectVersion = "0.1.0"
