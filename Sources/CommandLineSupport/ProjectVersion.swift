/// The version of both programs, by semver.org.
package let projectVersion = "0.1.0"
