// Loaded when it is first needed. By a file of our own: in a bundle, a package of the older kind has its names only where they are
// imported so.
export { fromIni, fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers'
