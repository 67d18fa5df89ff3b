import { server } from "@/lib/auth";

const handle = (request: Request) => server().auth.handler(request);

export { handle as DELETE, handle as GET, handle as PATCH, handle as POST, handle as PUT };
