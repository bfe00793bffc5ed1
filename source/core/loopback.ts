/** Whether an address, or a name, is this machine itself and is reached by nobody else: RFC 1122's 127.0.0.0/8, RFC 4291's ::1, and `localhost`. */
export const isLoopback = (address: string): boolean => /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/i.test(address);
