// Loaded when it is first needed. By a file of our own: in a bundle, a package of the older kind has its names only where they are
// imported so.
export {
  AwsClient,
  ExternalAccountAuthorizedUserClient,
  GoogleAuth,
  gaxios,
  gcpMetadata,
  IdentityPoolClient,
  PassThroughClient,
  PluggableAuthClient,
  UserRefreshClient,
} from 'google-auth-library'
