import { apiErrorOf, patiently } from './api.ts'

/**
 * Sends a file as `POST /v1/files` takes it, and tells how much of it has gone, from 0 to 1: `fetch` cannot say that of what it
 * sends. Throws an `ApiError`.
 */
export const upload = (file: File, onProgress: (share: number) => void): Promise<Uploaded> =>
  patiently(() => uploadOnce(file, onProgress))

interface Uploaded {
  readonly id: string
}

const uploadOnce = (file: File, onProgress: (share: number) => void): Promise<Uploaded> =>
  new Promise((resolve, reject) => {
    const form = new FormData()
    // The server reads a file as it comes, and must know before what it is for.
    form.set('purpose', 'batch')
    form.set('file', file)
    const request = new XMLHttpRequest()
    request.open('POST', '/v1/files')
    request.setRequestHeader('x-baton-ui', '1')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total)
    request.onload = () => {
      if (request.status === 200) resolve(request.response as Uploaded)
      else reject(apiErrorOf(request.status, request.response, name => request.getResponseHeader(name)))
    }
    request.onerror = () => reject(apiErrorOf(0, null, null))
    request.send(form)
  })
